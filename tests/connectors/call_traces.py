"""Event lists of an Asterisk 22, shortened to the fields that matter, one builder for each course a call can take."""

from __future__ import annotations

from dataclasses import dataclass, field

CUSTOMER = "13800138000"
TRUNK = "PJSIP/trunk-telecom"


@dataclass
class Trace:
    """A call's events as bytes would carry them: a list of field lists, each with its own Timestamp."""

    call_id: str
    events: list[dict[str, str]] = field(default_factory=list)
    start: float = 1764216000.0
    channels: dict[str, str] = field(default_factory=dict)

    def add(self, event: str, **fields: str) -> Trace:
        at = self.start + len(self.events) * 0.25
        self.events.append({"Event": event, "Timestamp": f"{at:.6f}", **fields})
        return self

    def of(self, event: str, leg: str, **fields: str) -> Trace:
        return self.add(event, Channel=self.channels[leg], Uniqueid=leg, Linkedid=self.call_id, **fields)

    def leg(self, leg: str, channel: str, **fields: str) -> Trace:
        self.channels[leg] = channel
        return self.of("Newchannel", leg, ChannelStateDesc="Down", **fields)

    def dial(self, leg: str, by: str = "", to: str = "") -> Trace:
        source = {"Channel": self.channels[by], "Uniqueid": by, "Linkedid": self.call_id} if by else {}
        return self.add("DialBegin", **source, **self._dest(leg), DialString=to)

    def dial_end(self, leg: str, status: str, by: str = "") -> Trace:
        source = {"Channel": self.channels[by], "Uniqueid": by, "Linkedid": self.call_id} if by else {}
        return self.add("DialEnd", **source, **self._dest(leg), DialStatus=status)

    def _dest(self, leg: str) -> dict[str, str]:
        return {"DestChannel": self.channels[leg], "DestUniqueid": leg, "DestLinkedid": self.call_id}

    def bridge(self, *legs: str, name: str = "b1") -> Trace:
        for leg in legs:
            self.of("BridgeEnter", leg, BridgeUniqueid=f"{self.call_id}-{name}")
        return self

    def leave(self, *legs: str, name: str = "b1") -> Trace:
        for leg in legs:
            self.of("BridgeLeave", leg, BridgeUniqueid=f"{self.call_id}-{name}")
        return self

    def ring(self, agent: str, leg: str, customer: str = "") -> Trace:
        """The queue rings an agent."""
        by = customer or self.call_id
        self.leg(leg, f"PJSIP/{agent}-{len(self.channels):08x}", CallerIDNum=agent, Exten="s")
        self.of(
            "AgentCalled", by, Queue="sales", Interface=f"PJSIP/{agent}", MemberName=agent, CallerIDNum=CUSTOMER,
            **self._dest(leg),
        )  # fmt: skip
        return self.dial(leg, by, agent)

    def hangup(self, leg: str, cause: int = 16) -> Trace:
        return self.of("Hangup", leg, Cause=str(cause), **{"Cause-txt": "x"})


def _queue_call(call_id: str) -> Trace:
    trace = Trace(call_id)
    trace.leg(call_id, f"{TRUNK}-{call_id[-8:]:0>8}", CallerIDNum=CUSTOMER, Exten="02155667788")
    trace.of("Newstate", call_id, ChannelStateDesc="Up")  # the announcement answers at once
    return trace.of("QueueCallerJoin", call_id, Queue="sales", Position="1")


def queue_answered(call_id: str = "yun-1764216000.1") -> Trace:
    a, b = f"{call_id}a", f"{call_id}b"
    trace = _queue_call(call_id).ring("1001", a).ring("1002", b)
    trace.dial_end(b, "CANCEL", call_id).dial_end(b, "CANCEL", call_id).hangup(b, 26)
    trace.dial_end(a, "ANSWER", call_id)
    trace.of("AgentConnect", call_id, Queue="sales", Interface="PJSIP/1001", HoldTime="5", **trace._dest(a))
    trace.bridge(a, call_id)
    trace.of("HangupRequest", call_id, Cause="16").leave(call_id, a)
    trace.of("AgentComplete", call_id, Queue="sales", Interface="PJSIP/1001", Reason="caller", **trace._dest(a))
    return trace.hangup(call_id).hangup(a)


def queue_abandoned(call_id: str = "yun-1764216100.1") -> Trace:
    """The caller gives up while it rings."""
    a = f"{call_id}a"
    trace = _queue_call(call_id).ring("1001", a)
    trace.of("HangupRequest", call_id)
    trace.of("QueueCallerAbandon", call_id, Queue="sales", HoldTime="12")
    return trace.dial_end(a, "CANCEL", call_id).hangup(a, 0).hangup(call_id, 0)


def queue_timed_out(call_id: str = "yun-1764216200.1") -> Trace:
    """Nobody answers until the queue lets go: the same QueueCallerAbandon."""
    a = f"{call_id}a"
    trace = _queue_call(call_id).ring("1001", a)
    trace.of("AgentRingNoAnswer", call_id, Queue="sales", Interface="PJSIP/1001", **trace._dest(a))
    trace.dial_end(a, "NOANSWER", call_id).hangup(a, 19)
    trace.of("QueueCallerAbandon", call_id, Queue="sales", HoldTime="30")
    return trace.of("SoftHangupRequest", call_id, Cause="16").hangup(call_id, 16)


def direct_missed(call_id: str = "yun-1764216300.1") -> Trace:
    a = f"{call_id}a"
    trace = Trace(call_id).leg(call_id, f"{TRUNK}-0000000c", CallerIDNum=CUSTOMER, Exten="02155667701")
    trace.leg(a, "PJSIP/1001-0000000d", CallerIDNum="1001", Exten="s").dial(a, call_id, "1001")
    trace.of("HangupRequest", call_id).dial_end(a, "CANCEL", call_id)
    return trace.hangup(a, 0).hangup(call_id, 0)


def dialled(call_id: str = "yl-5f3a", status: str = "ANSWER", cause: int = 16) -> Trace:
    """Click-to-dial: our id is the agent's leg and the call."""
    c = f"{call_id}c"
    trace = Trace(call_id).leg(call_id, "PJSIP/1001-0000000e", CallerIDNum=CUSTOMER, Exten="s")
    trace.dial(call_id, to="1001").dial_end(call_id, "ANSWER")
    trace.add("OriginateResponse", Response="Success", ActionID=f"dial-{call_id}", Reason="4", Uniqueid=call_id)
    trace.leg(c, f"{TRUNK}-0000000f", CallerIDNum=CUSTOMER, Exten="").dial(c, call_id, f"{CUSTOMER}@trunk-telecom")
    trace.dial_end(c, status, call_id)
    if status == "ANSWER":
        trace.bridge(c, call_id).of("HangupRequest", call_id, Cause="16").leave(call_id, c)
    return trace.hangup(c, cause).hangup(call_id, 16)


def agent_does_not_answer(call_id: str = "yl-5f3b") -> Trace:
    trace = Trace(call_id).leg(call_id, "PJSIP/1001-00000010", CallerIDNum=CUSTOMER, Exten="s")
    trace.dial(call_id, to="1001").dial_end(call_id, "NOANSWER").hangup(call_id, 0)
    return trace.add("OriginateResponse", Response="Failure", ActionID=f"dial-{call_id}", Reason="3", Uniqueid=call_id)


def agent_is_offline(call_id: str = "yl-5f3c") -> Trace:
    return Trace(call_id).add(
        "OriginateResponse", Response="Failure", ActionID=f"dial-{call_id}", Reason="0", Uniqueid="<unknown>"
    )


def blind_transfer(call_id: str = "yun-1764216400.1") -> Trace:
    a, b = f"{call_id}a", f"{call_id}b"
    trace = _queue_call(call_id).ring("1001", a).dial_end(a, "ANSWER", call_id).bridge(a, call_id)
    trace.add(
        "BlindTransfer", Result="Success", Extension="1002", TransfererChannel=trace.channels[a],
        TransfererUniqueid=a, TransfererLinkedid=call_id,
    ).leave(a, call_id).hangup(a)  # fmt: skip
    trace.leg(b, "PJSIP/1002-00000014", CallerIDNum="1002", Exten="s").dial(b, call_id, "1002")
    trace.dial_end(b, "ANSWER", call_id).bridge(b, call_id, name="b2")
    return trace.of("HangupRequest", b, Cause="16").leave(b, call_id, name="b2").hangup(b).hangup(call_id)


def attended_transfer(call_id: str = "yun-1764216500.1") -> Trace:
    """The consultation goes over a loop inside the exchange, which is optimised away at the end."""
    a, b, one, two = (f"{call_id}{name}" for name in ("a", "b", "x", "y"))
    trace = _queue_call(call_id).ring("1001", a).dial_end(a, "ANSWER", call_id).bridge(a, call_id)
    trace.of("Hold", call_id).leave(a)
    trace.leg(one, "Local/1002@from-internal-00000001;1", CallerIDNum="1001", Exten="1002")
    trace.leg(two, "Local/1002@from-internal-00000001;2", CallerIDNum="1001", Exten="1002")
    trace.bridge(one, a, name="b2")
    trace.leg(b, "PJSIP/1002-00000018", CallerIDNum="1002", Exten="s").dial(b, two, "1002").dial_end(b, "ANSWER", two)
    trace.bridge(b, two, name="b3")
    trace.add(
        "AttendedTransfer", Result="Success", OrigTransfererChannel=trace.channels[a], OrigTransfererUniqueid=a,
        OrigTransfererLinkedid=call_id, TransferTargetCallerIDNum="1002",
    ).leave(a, name="b2").hangup(a)  # fmt: skip
    trace.of("Unhold", call_id).bridge(b).leave(one, name="b2").leave(two, name="b3").hangup(one).hangup(two)
    return trace.of("HangupRequest", call_id, Cause="16").leave(b, call_id).hangup(b).hangup(call_id)


def held(call_id: str = "yun-1764216600.1") -> Trace:
    """A call that is still held."""
    a = f"{call_id}a"
    trace = _queue_call(call_id).ring("1001", a).dial_end(a, "ANSWER", call_id).bridge(a, call_id)
    return trace.of("Hold", a, MusicClass="default").of("Unhold", a).of("Hold", a, MusicClass="default")


def dialled_by_hand(call_id: str = "yun-1764216700.1") -> Trace:
    """An agent has dialled on the phone itself, with the digit for an outside line."""
    c = f"{call_id}c"
    trace = Trace(call_id).leg(call_id, "PJSIP/1002-00000020", CallerIDNum="1002", Exten=f"9{CUSTOMER}")
    trace.leg(c, f"{TRUNK}-00000021", CallerIDNum=CUSTOMER, Exten="").dial(c, call_id, f"{CUSTOMER}@trunk-telecom")
    trace.dial_end(c, "ANSWER", call_id).bridge(c, call_id).of("HangupRequest", c, Cause="16").leave(c, call_id)
    return trace.hangup(c).hangup(call_id)


def internal(call_id: str = "yun-1764216800.1") -> Trace:
    b = f"{call_id}b"
    trace = Trace(call_id).leg(call_id, "PJSIP/1001-00000022", CallerIDNum="1001", Exten="1002")
    trace.leg(b, "PJSIP/1002-00000023", CallerIDNum="1002", Exten="s").dial(b, call_id, "1002")
    trace.dial_end(b, "ANSWER", call_id).bridge(b, call_id).of("HangupRequest", call_id, Cause="16")
    return trace.leave(call_id, b).hangup(call_id).hangup(b)
