"""A program in another language that asks for series: lists them, then reads one quantity in windows, from the .proto files alone.

Prints one line of JSON for each series listed, one for each series with its points (window, mean, how many), and one at the end.
Windows are 5 minutes from START (seconds since 1970) for 20 minutes, then those of 10 minutes for the rest of the hour.

usage: series.py FOLDER TARGET QUANTITY START
"""

import json
import sys

import grpc

folder, target, quantity, start = sys.argv[1:5]
sys.path.insert(0, folder)

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from tocsin.v1 import telemetry_service_pb2, telemetry_service_pb2_grpc

deadline_s = 20


def windows(stub, begin, end, seconds):
    return stub.QuerySeries(
        telemetry_service_pb2.QuerySeriesRequest(
            quantity=quantity,
            **{"from": Timestamp(seconds=begin)},
            to=Timestamp(seconds=end),
            window=Duration(seconds=seconds),
            aggregate=telemetry_service_pb2.SERIES_AGGREGATE_MEAN,
        ),
        timeout=deadline_s,
    )


def main():
    begin = int(start)
    stub = telemetry_service_pb2_grpc.TelemetryServiceStub(grpc.insecure_channel(target))
    token = b""
    while True:
        # A page of one, so that pages are turned.
        request = telemetry_service_pb2.ListSeriesRequest(quantities=[quantity], page_size=1, page_token=token)
        page = stub.ListSeries(request, timeout=deadline_s)
        for one in page.series:
            print(json.dumps({"listed": one.device, "unit": one.unit, "last_at": one.last_at.seconds}))
        token = page.next_page_token
        if not token:
            break
    answers = [windows(stub, begin, begin + 1200, 300), windows(stub, begin + 1200, begin + 3600, 600)]
    found = {}
    for answer in answers:
        for data in answer.series:
            points = found.setdefault((data.series.device, data.series.unit), [])
            points += [[point.at.seconds, round(point.number, 9), point.count] for point in data.points]
    for (device, unit), points in sorted(found.items()):
        print(json.dumps({"device": device, "unit": unit, "points": points}))
    last = answers[-1]
    print(json.dumps({"complete": last.complete_until.seconds > begin + 1800, "truncated": last.truncated}))


main()
