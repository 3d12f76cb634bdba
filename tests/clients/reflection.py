"""Messages of a server that was never seen before, through grpc.reflection.v1alpha and nothing else.

Debian has no package for reflection, so its few messages are said here in their own words.
"""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

FIELD = descriptor_pb2.FieldDescriptorProto
METHOD = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"


def _field(message, name, number, kind, label=FIELD.LABEL_OPTIONAL, type_name=None):
    message.field.add(name=name, number=number, type=kind, label=label, type_name=type_name)


def _reflection_messages():
    file = descriptor_pb2.FileDescriptorProto(name="r.proto", package="r", syntax="proto3")
    request = file.message_type.add(name="Request")
    _field(request, "file_by_filename", 3, FIELD.TYPE_STRING)
    _field(request, "file_containing_symbol", 4, FIELD.TYPE_STRING)
    files = file.message_type.add(name="Files")
    _field(files, "file_descriptor_proto", 1, FIELD.TYPE_BYTES, FIELD.LABEL_REPEATED)
    error = file.message_type.add(name="Error")
    _field(error, "error_message", 2, FIELD.TYPE_STRING)
    response = file.message_type.add(name="Response")
    _field(response, "file_descriptor_response", 4, FIELD.TYPE_MESSAGE, type_name=".r.Files")
    _field(response, "error_response", 7, FIELD.TYPE_MESSAGE, type_name=".r.Error")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    return [factory.GetPrototype(pool.FindMessageTypeByName("r." + name)) for name in ("Request", "Response")]


def messages(channel, symbol):
    """A function from the full name of a message to its class, for all that `symbol` needs."""
    request, response = _reflection_messages()
    call = channel.stream_stream(METHOD, request.SerializeToString, response.FromString)

    def files_of(question):
        answer = next(iter(call(iter([question]), timeout=20)))
        if answer.HasField("error_response"):
            raise LookupError(answer.error_response.error_message)
        return [
            descriptor_pb2.FileDescriptorProto.FromString(one)
            for one in answer.file_descriptor_response.file_descriptor_proto
        ]

    found = {file.name: file for file in files_of(request(file_containing_symbol=symbol))}
    pool = descriptor_pool.DescriptorPool()
    added = set()

    def add(name):
        if name in added:
            return
        added.add(name)
        if name not in found:
            found.update((file.name, file) for file in files_of(request(file_by_filename=name)))
        for dependency in found[name].dependency:
            add(dependency)
        pool.Add(found[name])

    for name in list(found):
        add(name)
    factory = message_factory.MessageFactory(pool)
    return lambda name: factory.GetPrototype(pool.FindMessageTypeByName(name))
