"""Speak with golem from Python: one file, Python 3.7 or newer, nothing but the standard library.

    from golem import Golem

    lab = Golem("http://127.0.0.1:8000", name="anna")
    print(lab.value("sba5.co2"))
    with lab.reserve("relay-1", minutes=30, note="leak test"):
        lab.set("relay-1.relay0", True)
        lab.wait_for("sba5.co2", below=450, hold=10, timeout=300)
    run = lab.start("ventilation", onFor="60 s")
    run.wait()

Every request with an effect carries a key of its own, so that repeating it after a lost connection never makes
anything happen twice. An outcome that is not known raises `OutcomeUnknown`: look before you repeat it.
"""

import http.client
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections import namedtuple

__all__ = [
    "CommandFailed", "Golem", "GolemError", "NotGood", "OutcomeUnknown", "Reading", "Refused", "Run", "RunFailed",
]

#: A reading: value (None when there never was one), when it was read (ISO 8601 UTC), good, stale or bad, and why.
Reading = namedtuple("Reading", "value at quality error")

_RETRY_AFTER_S = (0.2, 0.6, 1.5)
_TIMEOUT_S = 10.0
_LONGEST_WAIT_S = 20.0


class GolemError(Exception):
    """Something went wrong. `code` is golem's word for it, `details` the whole answer."""

    def __init__(self, message, code=None, details=None):
        super().__init__(message)
        self.code = code
        self.details = details or {}


class Refused(GolemError):
    """Nothing was sent to any instrument."""


class CommandFailed(GolemError):
    """The instrument said no, or did something else."""


class OutcomeUnknown(GolemError):
    """It may have been done, or not: look before you repeat it."""


class NotGood(GolemError):
    """There is no good reading to go by."""


class RunFailed(GolemError):
    """A run has ended otherwise than completed."""


class Golem:
    """One site of golem.

    url    address of the page (default: GOLEM_URL, or http://127.0.0.1:8000)
    token  for sites with tokens (default: GOLEM_TOKEN)
    name   who you are, for the site's log, where there are no tokens
    """

    def __init__(self, url=None, token=None, name=None):
        self.url = (url or os.environ.get("GOLEM_URL") or "http://127.0.0.1:8000").rstrip("/")
        self._token = token or os.environ.get("GOLEM_TOKEN")
        self._name = name
        self._reservations = {}

    # --- what there is

    def instruments(self):
        """Descriptions of all instruments, as a list of dicts."""
        return self._request("GET", "/api/instruments")

    def state(self):
        """Everything as it is now, as a dict: instruments, runs, alarms, stop."""
        return self._request("GET", "/api/state")

    def read(self, name):
        """The newest reading of "instrument.parameter", as a Reading, good or not."""
        instrument, parameter = _split(name)
        known = self.state()["instruments"].get(instrument)
        if known is None:
            raise GolemError("There is no instrument %r." % instrument, "UNKNOWN_INSTRUMENT")
        reading = known["readings"].get(parameter)
        if reading is None:
            raise GolemError("%s has no reading %r." % (instrument, parameter), "UNKNOWN_NAME")
        return Reading(reading["value"], reading["at"], reading["quality"], reading.get("error"))

    def value(self, name):
        """The value of a good reading. Raises NotGood for a stale or bad one: never go by old data."""
        reading = self.read(name)
        if reading.quality != "good":
            raise NotGood("%s is %s: %s" % (name, reading.quality, reading.error or "last read at %s" % reading.at))
        return reading.value

    # --- commands

    def set(self, name, value, wait=40.0, valid_for=None):
        """Writes "instrument.parameter" and waits for the outcome. Returns the ledger record, a dict."""
        instrument, parameter = _split(name)
        return self._command(instrument, {"parameter": parameter, "value": value}, wait, valid_for)

    def do(self, name, wait=40.0, valid_for=None, **arguments):
        """Runs the action "instrument.action" and waits for the outcome; `result` of the record is its answer."""
        instrument, action = _split(name)
        return self._command(instrument, {"action": action, "arguments": arguments}, wait, valid_for)

    def stop(self, instrument=None, reason="from a Python program"):
        """Emergency stop of one instrument, or of everything."""
        path = "/api/stop" if instrument is None else "/api/instruments/%s/stop" % _quoted(instrument)
        return self._request("POST", path, {"reason": reason})

    def wait_for(self, name, above=None, below=None, equals=None, hold=0.0, timeout=None, every=0.5):
        """Waits until a reading is above, below or equal to something, for `hold` seconds without a break.

        A reading that is not good is no reading. Raises TimeoutError after `timeout` seconds (None: never).
        """
        began = time.monotonic()
        since = None
        while True:
            reading = self.read(name)
            fits = reading.quality == "good" and _fits(reading.value, above, below, equals)
            now = time.monotonic()
            since = (since if since is not None else now) if fits else None
            if since is not None and now - since >= hold:
                return reading
            if timeout is not None and now - began >= timeout:
                raise TimeoutError("%s was not as wanted for %g s; last: %r" % (name, timeout, reading))
            time.sleep(every)

    # --- reservations

    def reserve(self, instrument, minutes=60.0, note=None, wait=False):
        """Reserves an instrument for you. Use it with `with`: then it is given back, also after an error."""
        return Reservation(self, instrument, minutes, note, wait)

    # --- runs

    def recipes(self):
        """Recipes of this site, as a list of dicts."""
        return self._request("GET", "/api/recipes")

    def start(self, recipe, instruments=None, note=None, **parameters):
        """Starts a run. Durations are texts with their unit, e.g. "5 min"."""
        body = {"recipe": recipe, "parameters": parameters}
        if instruments:
            body["instruments"] = instruments
        if note:
            body["note"] = note
        return Run(self, self._request("POST", "/api/runs", body, key=uuid.uuid4().hex)["id"])

    def run(self, run_id):
        """A run that is there already."""
        return Run(self, run_id)

    # --- log

    def log(self, message, level="info"):
        """Writes a line into the site's log."""
        self._request("POST", "/api/log", {"message": str(message), "level": level})

    # --- how it is done

    def _command(self, instrument, body, wait, valid_for):
        if valid_for is not None:
            body["validForMs"] = int(valid_for * 1000)
        fence = self._reservations.get(instrument)
        if fence is not None:
            body["reservation"] = fence
        deadline = time.monotonic() + wait
        first = min(wait, _LONGEST_WAIT_S)
        headers = {"Prefer": "wait=%d" % max(1, round(first))} if first > 0 else {}
        record = self._request(
            "POST", "/api/instruments/%s/commands" % _quoted(instrument), body,
            key=uuid.uuid4().hex, headers=headers, timeout=_TIMEOUT_S + first,
        )
        while record["state"] != "ended" and time.monotonic() < deadline:
            time.sleep(0.1)
            record = self._request("GET", "/api/commands/%s" % record["id"])
        return _judged(record, wait)

    def _request(self, method, path, body=None, key=None, headers=None, timeout=_TIMEOUT_S):
        """One request; repeated after a lost connection when that can't make anything happen twice."""
        all_headers = {"Accept": "application/json"}
        all_headers.update(headers or {})
        if self._token:
            all_headers["Authorization"] = "Bearer %s" % self._token
        if self._name:
            all_headers["X-Golem-User"] = self._name
        if key:
            all_headers["Idempotency-Key"] = key
        data = None
        if body is not None:
            data = json.dumps(body).encode("utf-8")
            all_headers["Content-Type"] = "application/json"
        repeatable = method in ("GET", "PUT", "DELETE") or key is not None
        for pause in _RETRY_AFTER_S + (None,):
            request = urllib.request.Request(self.url + path, data=data, headers=all_headers, method=method)
            try:
                with urllib.request.urlopen(request, timeout=timeout) as answer:
                    text = answer.read()
                    return json.loads(text.decode("utf-8")) if text else None
            except urllib.error.HTTPError as error:
                raise _problem(error) from None
            except (OSError, ValueError, http.client.HTTPException) as error:
                if pause is None or not repeatable:
                    raise _lost(self.url, method, error) from error
                time.sleep(pause)
        raise AssertionError("not reached")


class Reservation:
    """The right to command an instrument; made by `Golem.reserve`."""

    def __init__(self, lab, instrument, minutes, note, wait):
        self._lab = lab
        self._path = "/api/instruments/%s/reservation" % _quoted(instrument)
        self._note = note
        self._wait = wait
        self.instrument = instrument
        self._renew(minutes)

    def _renew(self, minutes):
        body = {"forMs": int(minutes * 60000)}
        if self._note:
            body["note"] = self._note
        if self._wait:
            body["wait"] = True
        state = self._lab._request("PUT", self._path, body)
        self.current = state.get("current")
        if self.current:
            self._lab._reservations[self.instrument] = self.current["fence"]

    def renew(self, minutes=60.0):
        """Keeps it for so long from now."""
        self._renew(minutes)

    def give_back(self):
        """Ends it."""
        self._lab._reservations.pop(self.instrument, None)
        self._lab._request("DELETE", self._path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.give_back()


class Run:
    """One execution of a recipe."""

    def __init__(self, lab, run_id):
        self._lab = lab
        self.id = run_id
        self._path = "/api/runs/%s" % _quoted(run_id)

    def record(self):
        """How it is now, as a dict: state, message, progress, parameters, end."""
        return self._lab._request("GET", self._path)

    def change(self, **parameters):
        """Changes parameters while it goes on."""
        return self._lab._request("PATCH", self._path, {"parameters": parameters})

    def rows(self):
        """What it has measured, oldest first, as a list of dicts."""
        return self._lab._request("GET", self._path + "/rows?limit=100000")

    def pause(self, note=""):
        return self._tell("pause", note)

    def resume(self, note=""):
        return self._tell("resume", note)

    def stop(self, note=""):
        """Ends it in order: what its recipe does at the end is done."""
        return self._tell("stop", note)

    def abort(self, note=""):
        """Ends it at once: its instruments go to their safe state."""
        return self._tell("abort", note)

    def skip(self, note=""):
        """Ends the waiting of the step it is at."""
        return self._tell("skip", note)

    def wait(self, timeout=None, every=0.5):
        """Waits for its end and returns the record. Raises RunFailed unless it has completed."""
        began = time.monotonic()
        while True:
            record = self.record()
            if record["state"] == "ended":
                if record.get("end") != "completed":
                    raise RunFailed("run %s %s: %s" % (self.id, record.get("end"), record["message"]), details=record)
                return record
            if timeout is not None and time.monotonic() - began >= timeout:
                raise TimeoutError("run %s goes on after %g s: %s" % (self.id, timeout, record["message"]))
            time.sleep(every)

    def _tell(self, what, note):
        return self._lab._request("POST", "%s/%s" % (self._path, what), {"note": note})


def _split(name):
    instrument, dot, rest = name.partition(".")
    if not (instrument and dot and rest):
        raise ValueError("write INSTRUMENT.NAME, e.g. lamp-1.red, not %r" % name)
    return instrument, rest


def _quoted(text):
    return urllib.parse.quote(text, safe="")


def _fits(value, above, below, equals):
    if equals is not None and value != equals:
        return False
    if above is not None and not value > above:
        return False
    return below is None or value < below


def _judged(record, wait):
    outcome = record.get("outcome")
    if outcome == "done":
        return record
    words = record.get("message") or "command %s: %s" % (record["id"], outcome or "still %s" % record["state"])
    if outcome == "refused":
        raise Refused(words, record.get("code"), record)
    if outcome == "failed":
        raise CommandFailed(words, record.get("code"), record)
    if outcome is None and wait <= 0:
        return record
    raise OutcomeUnknown(words, record.get("code"), record)


def _problem(error):
    try:
        problem = json.loads(error.read().decode("utf-8"))
    except (OSError, ValueError):
        problem = {}
    words = problem.get("detail") or problem.get("title") or "HTTP %d" % error.code
    kind = OutcomeUnknown if problem.get("effect") == "unknown" else Refused
    return kind(words, problem.get("code"), problem)


def _lost(url, method, error):
    words = "No answer from %s (%s)." % (url, error)
    if method == "GET" or isinstance(getattr(error, "reason", None), ConnectionRefusedError):
        return Refused(words + " Nothing was done.")
    return OutcomeUnknown(words + " It may have arrived: look before you repeat it.")
