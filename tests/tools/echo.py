# A server and a client of echo.proto in one process, from the code that grpc_tools made into the folder given.
import sys
from concurrent import futures

import grpc

sys.path.insert(0, sys.argv[1])
import echo_pb2
import echo_pb2_grpc


class Echo(echo_pb2_grpc.EchoServiceServicer):
    def Echo(self, request, context):
        time = request.time.ToDatetime()
        return echo_pb2.EchoResponse(text=f"{request.text} at {time:%H:%M}")


server = grpc.server(futures.ThreadPoolExecutor(max_workers=1))
echo_pb2_grpc.add_EchoServiceServicer_to_server(Echo(), server)
port = server.add_insecure_port("127.0.0.1:0")
server.start()
with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
    request = echo_pb2.EchoRequest(text="flood")
    request.time.FromSeconds(12 * 3600)
    print(echo_pb2_grpc.EchoServiceStub(channel).Echo(request, timeout=5).text)
server.stop(None).wait()
