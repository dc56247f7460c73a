"""Why a call ended: ITU-T Q.850 numbers and Asterisk's own words, as causes of ours."""

from __future__ import annotations

_Q850 = {
    1: "unknown_number",
    2: "unreachable",
    3: "unreachable",
    17: "busy",
    18: "no_answer",
    19: "no_answer",
    20: "unreachable",
    21: "rejected",
    22: "unknown_number",
    26: "answered_elsewhere",
    27: "unreachable",
    28: "unknown_number",
    34: "congestion",
    38: "congestion",
    41: "congestion",
    42: "congestion",
    44: "congestion",
    58: "congestion",
}
"""Those that say more than that it is over (16, 31, 127, 0)."""

_DIAL_STATUS = {
    "BUSY": "busy",
    "NOANSWER": "no_answer",
    "CANCEL": "cancelled",
    "CONGESTION": "congestion",
    "CHANUNAVAIL": "unreachable",
    "DONTCALL": "rejected",
    "TORTURE": "rejected",
}

_ORIGINATE_REASON = {
    "0": "agent_unreachable",
    "1": "agent_unreachable",
    "3": "agent_no_answer",
    "5": "agent_busy",
    "8": "congestion",
}


def of_leg(hangup_cause: int | None, dial_status: str) -> str:
    """The number is asked before the word: one that does not exist comes as NOANSWER with cause 1."""
    if hangup_cause in _Q850:
        return _Q850[hangup_cause]
    return _DIAL_STATUS.get(dial_status, "")


def of_originate(reason: str) -> str:
    return _ORIGINATE_REASON.get(reason, "failed")
