"""Speak with golem from Python: one file, Python 3.7 or newer, nothing but the standard library.

    from golem import Golem

    lab = Golem("http://127.0.0.1:8000", name="anna")
    print(lab.value("sba5.co2"))
    with lab.reserve("relay-1", minutes=30, note="leak test"):
        lab.set("relay-1.relay0", True)
        lab.wait_for("sba5.co2", below=450, hold=10, timeout=300)
    run = lab.start("ventilation", duration="60 s")
    run.wait()

While golem can't be reached, e.g. because it is started anew, requests are repeated for some seconds. Commands and
starts of runs carry a key of their own, so that repeating them never makes anything happen twice. An outcome that is
not known raises `OutcomeUnknown`: look before you repeat it.
"""

import datetime
import http.client
import json
import os
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections import namedtuple

__all__ = [
    "CommandFailed", "Golem", "GolemError", "NoAnswer", "NotGood", "OutcomeUnknown", "Reading", "Refused",
    "Reservation", "Run", "RunFailed",
]

#: A reading: value (None when there never was one), when it was read (ISO 8601 UTC), good, stale or bad, and why.
Reading = namedtuple("Reading", "value at quality error")

#: Before a request is repeated, in seconds: the first pause, and the longest.
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 2.0
#: How long one request may take, and how long golem is asked to wait for an outcome within one, in seconds.
_TIMEOUT_S = 10.0
_LONGEST_WAIT_S = 20.0
#: How long a command is valid when nothing else is said, in seconds: as golem has it.
_VALID_FOR_S = 30.0
#: After so long without a look at a reading nothing is known of the time between, in seconds.
_LONGEST_GAP_S = 5.0


class GolemError(Exception):
    """Something went wrong. `code` is golem's word for it, `details` the whole answer."""

    def __init__(self, message, code=None, details=None):
        super().__init__(message)
        self.code = code
        self.details = details or {}


class Refused(GolemError):
    """Nothing was sent to any instrument."""


class NoAnswer(GolemError):
    """Golem does not answer. Nothing was asked for but to know something."""


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

    patience: for how many seconds a request is repeated while golem can't be reached.
    """

    def __init__(self, url=None, token=None, name=None, patience=15.0):
        self.url = (url or os.environ.get("GOLEM_URL") or "http://127.0.0.1:8000").rstrip("/")
        self._token = token or os.environ.get("GOLEM_TOKEN")
        self._name = name
        self._patience = patience
        # Who listens on a network of instruments is reached without a proxy.
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
        self._fences = {}

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
        return self._request("POST", path, {"reason": reason}, repeatable=True)

    def wait_for(self, name, above=None, below=None, equals=None, hold=0.0, timeout=None, every=0.5):
        """Waits until a reading is above, below or equal to something, for `hold` seconds without a break.

        A reading that is not good is no reading. Raises TimeoutError after `timeout` seconds (None: never).
        """
        if above is None and below is None and equals is None:
            raise ValueError("say what to wait for: above, below or equals")
        began = time.monotonic()
        since = None
        looked = began
        while True:
            reading = self.read(name)
            now = time.monotonic()
            fits = reading.quality == "good" and _fits(reading.value, above, below, equals)
            if not fits or now - looked > every + _LONGEST_GAP_S:
                since = None
            if fits and since is None:
                since = now
            looked = now
            if since is not None and now - since >= hold:
                return reading
            if timeout is not None and now - began >= timeout:
                raise TimeoutError("%s was not as wanted for %g s; last: %r" % (name, timeout, reading))
            time.sleep(every)

    # --- reservations

    def reserve(self, instrument, minutes=60.0, note=None, wait=0.0):
        """Reserves an instrument for you. Use it with `with`: then it is given back, also after an error.

        wait: for how many seconds to stand in line while somebody else has it; then TimeoutError.
        """
        return Reservation(self, instrument, minutes, note, wait)

    # --- runs

    def recipes(self):
        """Recipes of this site, as a list of dicts."""
        return self._request("GET", "/api/recipes")

    def start(self, recipe, instruments=None, note=None, **parameters):
        """Starts a run. Durations are texts with their unit, e.g. "5 min"; `instruments` binds other ones to roles."""
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

    def note(self, text, start=None, end=None, instrument=None, run=None):
        """Notes something about a moment, or the time from `start` to `end`; it stands there in the timeline.

        Times are datetimes with a time zone, or texts as the API takes them: "2026-05-01T08:30:00Z", "-10min".
        Without `start` it is about now.
        """
        body = {"text": str(text), "from": _moment(start), "to": _moment(end), "instrument": instrument, "run": run}
        return self._request("POST", "/api/notes", {name: value for name, value in body.items() if value is not None})

    # --- how it is done

    def _command(self, instrument, body, wait, valid_for):
        if valid_for is not None:
            body["validForMs"] = int(valid_for * 1000)
        fence = self._fences.get(instrument)
        if fence is not None:
            body["reservation"] = fence
        deadline = time.monotonic() + wait
        first = min(wait, _LONGEST_WAIT_S)
        record = self._request(
            "POST", "/api/instruments/%s/commands" % _quoted(instrument), body,
            key=uuid.uuid4().hex,
            headers={"Prefer": "wait=%d" % max(1, round(first))} if first > 0 else None,
            timeout=_TIMEOUT_S + first,
            # What arrives only then is not executed late.
            patience=min(self._patience, _VALID_FOR_S if valid_for is None else valid_for),
        )
        while record["state"] != "ended" and time.monotonic() < deadline:
            time.sleep(0.1)
            try:
                record = self._request("GET", "/api/commands/%s" % record["id"])
            except GolemError as error:
                # It was accepted: that golem can't tell how it goes is no outcome.
                record = dict(record, message="command %s: its outcome is not known. %s" % (record["id"], error))
        return _judged(record, wait)

    def _request(
        self, method, path, body=None, key=None, headers=None, timeout=_TIMEOUT_S, patience=None, repeatable=None
    ):
        """One request; repeated while golem can't be reached, when that can't make anything happen twice."""
        all_headers = {"Accept": "application/json"}
        all_headers.update(headers or {})
        if self._token:
            all_headers["Authorization"] = "Bearer %s" % self._token
        if self._name:
            all_headers["X-Golem-User"] = _quoted(self._name)
        if key:
            all_headers["Idempotency-Key"] = key
        data = None
        if body is not None:
            data = json.dumps(body).encode("utf-8")
            all_headers["Content-Type"] = "application/json"
        if repeatable is None:
            repeatable = method in ("GET", "PUT", "DELETE") or key is not None
        deadline = time.monotonic() + (self._patience if patience is None else patience)
        pause = _FIRST_PAUSE_S
        has_arrived = False
        while True:
            request = urllib.request.Request(self.url + path, data=data, headers=all_headers, method=method)
            try:
                with self._open(request, timeout=timeout) as answer:
                    text = answer.read()
                return json.loads(text.decode("utf-8")) if text else None
            except urllib.error.HTTPError as error:
                trouble = _problem(error, method, has_arrived)
                has_arrived = has_arrived or isinstance(trouble, OutcomeUnknown)
                if not isinstance(trouble, (OutcomeUnknown, NoAnswer)):
                    raise trouble from None
            except (OSError, ValueError, http.client.HTTPException) as error:
                has_arrived = has_arrived or not _never_arrived(error)
                trouble = _lost(self.url, method, error, has_arrived)
            if not repeatable or time.monotonic() + pause > deadline:
                raise trouble
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)


class Reservation:
    """The right to command an instrument; made by `Golem.reserve`."""

    def __init__(self, lab, instrument, minutes, note, wait):
        self._lab = lab
        self._path = "/api/instruments/%s/reservation" % _quoted(instrument)
        self._note = note
        self.instrument = instrument
        #: The reservation in force, as golem tells it: holder, fence, since, until.
        self.current = None
        state = self._ask(minutes, wait > 0)
        if wait > 0 and not self._is_mine(state):
            state = self._stand_in_line(wait)
        self._take(state)

    def renew(self, minutes=60.0):
        """Keeps it for so long from now. Raises Refused when it has ended and somebody else has it."""
        self._take(self._ask(minutes))

    def give_back(self):
        """Ends it. When it has ended already nothing happens."""
        fence = self._lab._fences.pop(self.instrument, None)
        if fence is None:
            return
        if (self._lab._request("GET", self._path)["current"] or {}).get("fence") == fence:
            self._lab._request("DELETE", "%s?fence=%d" % (self._path, fence))

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            self.give_back()
        except GolemError:
            # The error in between is what matters then; the reservation ends by itself.
            if kind is None:
                raise

    def _ask(self, minutes, wait=False):
        body = {"forMs": int(minutes * 60000)}
        if self._note:
            body["note"] = self._note
        if wait:
            body["wait"] = True
        return self._lab._request("PUT", self._path, body)

    def _take(self, state):
        self.current = state["current"]
        self._lab._fences[self.instrument] = self.current["fence"]

    def _is_mine(self, state):
        current = state["current"]
        if current is None or current["holder"]["kind"] != "person":
            return False
        return current["holder"]["name"] == self._lab._request("GET", "/api/session")["name"]

    def _stand_in_line(self, wait):
        deadline = time.monotonic() + wait
        while time.monotonic() < deadline:
            time.sleep(0.5)
            state = self._lab._request("GET", self._path)
            if self._is_mine(state):
                return state
        self._lab._request("DELETE", self._path + "?waiting=true")
        raise TimeoutError("%s was not free within %g s" % (self.instrument, wait))


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
        """Holds it where it is; its outputs stay as they are."""
        return self._tell("pause", note)

    def resume(self, note=""):
        """Lets it go on that is paused, or asks."""
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
                    raise RunFailed("run %s %s: %s" % (self.id, record.get("end"), record["message"]), None, record)
                return record
            if timeout is not None and time.monotonic() - began >= timeout:
                raise TimeoutError("run %s goes on after %g s: %s" % (self.id, timeout, record["message"]))
            time.sleep(every)

    def _tell(self, what, note):
        # Two skips skip two waits; all else may be said twice.
        return self._lab._request("POST", "%s/%s" % (self._path, what), {"note": note}, repeatable=what != "skip")


def _moment(when):
    if when is None or isinstance(when, str):
        return when
    if when.tzinfo is None:
        raise ValueError("%s has no time zone: golem could not know which moment it is" % when)
    return when.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _split(name):
    instrument, dot, rest = name.partition(".")
    if not (instrument and dot and rest):
        raise ValueError("write INSTRUMENT.NAME, e.g. lamp-1.red, not %r" % name)
    return instrument, rest


def _quoted(text):
    return urllib.parse.quote(text, safe="")


def _fits(value, above, below, equals):
    if value is None or (equals is not None and value != equals):
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


def _problem(error, method, has_arrived):
    """What an answer that is an error means. NoAnswer, OutcomeUnknown: worth asking again."""
    try:
        problem = json.loads(error.read().decode("utf-8"))
    except (OSError, ValueError, http.client.HTTPException):
        problem = {}
    if not isinstance(problem, dict) or "code" not in problem:
        # Not golem speaks, but something before it, e.g. a proxy whose golem is being started anew.
        problem = {"title": "HTTP %d %s" % (error.code, error.reason)}
        if error.code >= 500:
            return _lost(error.url, method, problem["title"], True)
    words = problem.get("detail") or problem.get("title") or "HTTP %d" % error.code
    if method == "GET":
        kind = NoAnswer if error.code >= 500 else Refused
    else:
        kind = OutcomeUnknown if problem.get("effect") == "unknown" or (has_arrived and error.code >= 500) else Refused
    return kind(words, problem.get("code"), problem)


def _never_arrived(error):
    return isinstance(getattr(error, "reason", None), (ConnectionRefusedError, socket.gaierror))


def _lost(url, method, error, has_arrived):
    words = "No answer from %s (%s)." % (url, error)
    if method == "GET":
        return NoAnswer(words)
    if not has_arrived:
        return Refused(words + " Nothing was done.")
    return OutcomeUnknown(words + " It may have arrived: look before you repeat it.")
