"""MQTT 5 as Debian's paho-mqtt speaks it: does what it is told, line by line, and prints what each of its clients is told in return.

A line of standard input is a JSON object: `do` says what (connect, subscribe, unsubscribe, publish, disconnect, drop), `as` which client,
the rest how; `properties` has paho's own names. A line of standard output is a JSON object too: `on` says what came (connect,
subscribe, unsubscribe, message, disconnect), `as` to whom. Bytes are written as text.

usage: mqtt5.py PORT
"""

import json
import sys

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCodes
from paho.mqtt.subscribeoptions import SubscribeOptions

port = int(sys.argv[1])
clients = {}


def properties(kind, given):
    made = Properties(kind)
    for name, value in (given or {}).items():
        if name == "CorrelationData":
            value = value.encode()
        # Each assignment of a user property is one more.
        for each in [tuple(pair) for pair in value] if name == "UserProperty" else [value]:
            setattr(made, name, each)
    return made


def plain(value):
    if isinstance(value, bytes):
        return value.decode()
    return [plain(each) for each in value] if isinstance(value, (list, tuple)) else value


def said(given):
    names = vars(given) if given is not None else {}
    return {name: plain(value) for name, value in names.items() if name not in ("packetType", "types", "names", "properties")}


def tell(on, name, **rest):
    # In one piece: each client speaks from a thread of its own.
    sys.stdout.write(json.dumps({"on": on, "as": name, **rest}) + "\n")
    sys.stdout.flush()


def connect(name, id="", keepalive=60, clean=True, given=None, will=None):
    client = clients[name] = Client(client_id=id, protocol=MQTTv5)
    client.on_connect = lambda _c, _u, flags, reason, told: tell(
        "connect", name, reason=reason.value, present=flags["session present"], properties=said(told)
    )
    client.on_subscribe = lambda _c, _u, _mid, reasons, _p: tell("subscribe", name, reasons=[each.value for each in reasons])
    # paho gives one reason alone, and more of them as a list.
    client.on_unsubscribe = lambda _c, _u, _mid, _p, reasons: tell(
        "unsubscribe", name, reasons=[each.value for each in (reasons if isinstance(reasons, list) else [reasons])]
    )
    client.on_message = lambda _c, _u, message: tell(
        "message",
        name,
        topic=message.topic,
        payload=message.payload.decode(),
        qos=message.qos,
        retain=bool(message.retain),
        properties=said(message.properties),
    )
    client.on_disconnect = lambda _c, _u, reason, _p=None: tell("disconnect", name, reason=getattr(reason, "value", reason))
    client.reconnect_delay_set(3600, 3600)
    if will is not None:
        asked = properties(PacketTypes.WILLMESSAGE, will.get("properties"))
        client.will_set(will["topic"], will["payload"], qos=1, properties=asked)
    asked = properties(PacketTypes.CONNECT, given)
    client.connect("127.0.0.1", port, keepalive, clean_start=clean, properties=asked)
    client.loop_start()


def subscribe(name, topic, options, given=None):
    clients[name].subscribe(topic, options=SubscribeOptions(**options), properties=properties(PacketTypes.SUBSCRIBE, given))


def publish(name, topic, payload, qos=1, retain=False, given=None):
    asked = properties(PacketTypes.PUBLISH, given)
    clients[name].publish(topic, payload, qos, retain, asked).wait_for_publish(10)
    tell("published", name)


def disconnect(name, reason=0, given=None):
    asked = properties(PacketTypes.DISCONNECT, given)
    clients[name].disconnect(ReasonCodes(PacketTypes.DISCONNECT, identifier=reason), asked)


def drop(name):
    clients[name].loop_stop(force=True)
    clients[name].socket().close()


for line in sys.stdin:
    told = json.loads(line)
    what, name = told.pop("do"), told.pop("as")
    if "properties" in told:
        told["given"] = told.pop("properties")
    if what == "unsubscribe":
        clients[name].unsubscribe(told["topic"])
    else:
        {"connect": connect, "subscribe": subscribe, "publish": publish, "disconnect": disconnect, "drop": drop}[what](name, **told)
