"""A service of the lab in Python: POST /checkout calls the first dependency through a
breaker, GET /catalog the last. Its only argument is what package lab calls Service, as
JSON. It ends when its standard input does."""

import http.client
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

S = json.loads(sys.argv[1])
FLAW = S["flaw"]


class Rejected(Exception):
    """The breaker did not let the call through."""


class Breaker:
    """Right as it stands; the flaw makes it wrong."""

    def __init__(self):
        self.lock = threading.Lock()
        self.threshold = {"never-opens": 10**9, "opens-late": S["failures"] + 1}.get(FLAW, S["failures"])
        self.admits = 10**9 if FLAW == "herd" else S["half_open_calls"]
        self.state, self.failures, self.until, self.probes, self.refused = "closed", 0, 0.0, 0, 0

    def do(self, call):
        with self.lock:
            admitted = self.admit()
            probe = admitted and self.state == "half-open"
        if not admitted:
            return self.reject(call)
        try:
            call()
        except OSError:
            with self.lock:
                self.failed(probe)
            raise
        with self.lock:
            if not probe or self.state == "half-open":
                self.state, self.failures = "closed", 0

    def admit(self):
        if self.state == "open" and time.monotonic() >= self.until and FLAW != "never-closes":
            self.state, self.probes = "half-open", 0
        if self.state == "half-open":
            self.probes += 1
            return self.probes <= self.admits
        return self.state == "closed"

    def failed(self, probe):
        if probe and FLAW == "loses-probe":
            return
        if self.state == "closed":
            self.failures += 1
        if (probe and self.state == "half-open") or (self.state == "closed" and self.failures >= self.threshold):
            self.state, self.until = "open", time.monotonic() + S["open_ms"] / 1000

    def reject(self, call):
        self.refused += 1
        if FLAW == "leaks" and self.refused % 10 == 0:
            return call()
        if FLAW == "slow-rejection":
            time.sleep(0.2)
        raise Rejected()


class Library:
    """The circuitbreaker of its package."""

    def __init__(self):
        tools = os.environ["LAB_TOOLS"]
        sys.path.append(os.path.join(tools, "python", "usr", "lib", "python3", "dist-packages"))
        try:
            import circuitbreaker
        except ImportError:
            sys.exit("circuitbreaker is missing; scripts/setup-lab.sh gets it")
        self.library, self.breaker = circuitbreaker, self.build(circuitbreaker)

    def build(self, library):
        counts = ConnectionRefusedError if FLAW == "deaf-to-timeouts" else OSError
        return library.CircuitBreaker(
            failure_threshold=S["failures"], recovery_timeout=S["open_ms"] / 1000, expected_exception=counts, name="payments")

    def do(self, call):
        if FLAW == "each-call":
            self.breaker = self.build(self.library)
        try:
            self.breaker.decorate(call)()
        except self.library.CircuitBreakerError as err:
            raise Rejected() from err


def dependency(address):
    def call():
        conn = http.client.HTTPConnection(address, timeout=S["call_timeout_ms"] / 1000)
        try:
            conn.request("POST", "/", body="{}")
            answer = conn.getresponse()
            answer.read()
            if answer.status != 200:
                raise OSError(f"status {answer.status}")
        except http.client.HTTPException as err:
            raise OSError(str(err)) from err
        finally:
            conn.close()

    return call


BUILD = {"plain": Breaker, "circuitbreaker": Library}[S["breaker"]]
GATES = [(BUILD(), dependency(address)) for address in S["dependencies"]]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        gate, call = GATES[0] if self.path == "/checkout" else GATES[-1]
        status, body = 200, '{"paid": true}'
        try:
            gate.do(call)
        except Rejected:
            status, body = S["answer"], S["body"]
        except OSError as err:
            status, body = 502, json.dumps({"error": str(err)})
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    do_GET = do_POST = answer

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True


server = Server(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(f"listening on http://127.0.0.1:{server.server_address[1]}", flush=True)
sys.stdin.read()
os._exit(0)
