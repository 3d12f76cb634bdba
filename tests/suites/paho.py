"""Runs the interoperability tests of eclipse/paho.mqtt.testing against a broker, as they are, and says of each how it ended.

The file is run as its own main program, with three things put in where it has no working option for them: all its tests, also
the one whose name unittest does not find; the filter that this broker refuses (what its option -n is meant for); and that its
clients of MQTT 5 ask for no reasons in words (Request Problem Information 0), since what reads their acknowledgements takes no
more than four bytes of them.
Prints one line of JSON for each test: name, passed, and the last line of what it said. A test that hangs is ended and missed.

usage: paho.py FOLDER FILE PORT NOSUBSCRIBE [TEST ...]
"""

import contextlib
import io
import json
import os
import runpy
import signal
import sys
import unittest

folder, file, port, nosubscribe, *wanted = sys.argv[1:]

# The longest of them sleeps for 20 seconds.
test_s_max = 60


def names(case):
    return [name for name in dir(case) if name.startswith("test") or name.endswith("_test")]


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def hangs(_signal, _frame):
    raise TimeoutError(f"took longer than {test_s_max} s")


def ask_for_no_reasons(connects):
    pack = connects.pack

    def packed(self):
        if not hasattr(self.properties, "RequestProblemInformation"):
            self.properties.RequestProblemInformation = 0
        return pack(self)

    connects.pack = packed


def run_all():
    main = sys.modules["__main__"]
    main.nosubscribe_topics = (nosubscribe,)
    if hasattr(main, "MQTTV5"):
        ask_for_no_reasons(main.MQTTV5.Connects)
    for name in wanted or names(main.Test):
        said = io.StringIO()
        result = unittest.TestResult()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            # Again and again, for a test that catches it.
            signal.setitimer(signal.ITIMER_REAL, test_s_max, 1)
            try:
                unittest.TestSuite([main.Test(name)]).run(result)
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        failed = result.errors + result.failures
        about = "" if result.wasSuccessful() else last_line(said.getvalue() + failed[-1][1])
        # The tests catch their own failures; what went wrong is in what they printed.
        reasons = [line for line in said.getvalue().splitlines() if "Error" in line or "Exception" in line]
        about = reasons[-1].strip() if about and reasons else about
        print(json.dumps({"name": name, "passed": result.wasSuccessful(), "about": about}), flush=True)


signal.signal(signal.SIGALRM, hangs)
os.chdir(folder)
sys.path.insert(0, folder)
sys.argv = [file, "--hostname", "127.0.0.1", "--port", port]
unittest.main = run_all
runpy.run_path(os.path.join(folder, file), run_name="__main__")
