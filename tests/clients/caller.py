"""A program with a certificate, or without one: makes one call of EventService, or subscribes until it is cut, and prints what it is told.

usage: caller.py FOLDER TARGET AUTHORITY CERTIFICATE|- KEY|- list|subscribe
"""

import sys

import grpc

folder, target, authority, certificate, key, what = sys.argv[1:7]
sys.path.insert(0, folder)
from tocsin.v1 import event_service_pb2, event_service_pb2_grpc  # noqa: E402


def content(path):
    return None if path == "-" else open(path, "rb").read()


channel = grpc.secure_channel(
    target, grpc.ssl_channel_credentials(content(authority), content(key), content(certificate))
)
stub = event_service_pb2_grpc.EventServiceStub(channel)
try:
    if what == "list":
        answer = stub.ListEvents(event_service_pb2.ListEventsRequest(), timeout=10)
        print("OK", len(answer.records), flush=True)
    else:
        request = event_service_pb2.SubscribeRequest()
        request.earliest.SetInParent()
        for response in stub.Subscribe(request, timeout=60):
            print("item", response.WhichOneof("item"), flush=True)
except grpc.RpcError as error:
    print(error.code().name, error.details(), flush=True)
