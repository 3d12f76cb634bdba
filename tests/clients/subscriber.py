"""A console in another language: subscribes, keeps what it is given, and resumes from its cursor after it was killed.

The contract comes from the .proto files alone (Debian's protoc generated FOLDER from them), or, where FOLDER is "reflection",
from the server itself. Each batch is kept in the journal as one line with its cursor, in one write: what is in the journal was
dealt with, and nothing else was.

usage: subscriber.py FOLDER|reflection TARGET JOURNAL COUNT DEVICES PAUSE_MS
"""

import base64
import json
import os
import sys
import time

import grpc

folder, target, journal, count, devices, pause_ms = sys.argv[1:7]
# None of them may wait for ever, whatever the server does.
deadline_s = 60


def contract_of_files(channel):
    sys.path.insert(0, folder)
    from tocsin.v1 import event_pb2, event_service_pb2, event_service_pb2_grpc

    stub = event_service_pb2_grpc.EventServiceStub(channel)
    return stub.Subscribe, event_service_pb2.SubscribeRequest, event_pb2.Event


def contract_of_reflection(channel):
    import reflection

    message = reflection.messages(channel, "tocsin.v1.EventService")
    request, response = message("tocsin.v1.SubscribeRequest"), message("tocsin.v1.SubscribeResponse")
    subscribe = channel.unary_stream(
        "/tocsin.v1.EventService/Subscribe", request.SerializeToString, response.FromString
    )
    return subscribe, request, message("tocsin.v1.Event")


def whole_lines():
    """What was kept; a line that the kill cut off is removed, and comes again."""
    if not os.path.exists(journal):
        return []
    with open(journal, "r+b") as file:
        content = file.read()
        end = content.rfind(b"\n") + 1
        file.truncate(end)
    return [json.loads(line) for line in content[:end].splitlines()]


def main():
    channel = grpc.insecure_channel(target)
    contract = contract_of_reflection if folder == "reflection" else contract_of_files
    subscribe, request_type, event_type = contract(channel)
    kept = whole_lines()
    total = sum(len(line["events"]) for line in kept)
    request = request_type(max_batch_records=20)
    request.filter.devices.extend(devices.split(","))
    if kept:
        request.after_cursor = base64.b64decode(kept[-1]["cursor"])
    else:
        request.earliest.SetInParent()
    print("subscribed after", total, flush=True)
    with open(journal, "ab", buffering=0) as file:
        if total >= int(count):
            return
        for response in subscribe(request, timeout=deadline_s):
            item = response.WhichOneof("item")
            if item == "gap":
                print("gap", response.gap.reason, response.gap.text, flush=True)
            if item != "batch":
                continue
            events = []
            for record in response.batch.records:
                if record.flags & 2:
                    continue
                event = event_type.FromString(record.event)
                events.append([record.lane, record.sequence, event.id.hex(), event.origin.device])
            cursor = base64.b64encode(response.batch.cursor).decode()
            file.write((json.dumps({"cursor": cursor, "events": events}) + "\n").encode())
            total += len(events)
            if total >= int(count):
                break
            time.sleep(int(pause_ms) / 1000)
    print("done", total, flush=True)


main()
