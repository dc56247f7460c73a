"""What connectors say of themselves, as people read it."""

from __future__ import annotations

from engine.i18n import Sentence, _

TITLES: dict[str, Sentence] = {
    "sms": _("SMS"),
    "mail": _("Mail"),
    "webhook": _("Webhooks"),
    "robot": _("Robots in group chats"),
    "word": _("Word and PDF"),
}
"""Ways out of the house, each with a queue of its own in the outbox."""
LINKS: dict[str, Sentence] = {
    "sms-gateway": _("SMS gateway"),
    "sms-spool": _("SMS by smsd"),
    "mailbox": _("Mailbox"),
    "telephony": _("Telephone"),
    "archive": _("Archive"),
}
"""What else reports how it is: devices, what only comes in, parts of the house."""

SIM_REFUSED = (
    *(f"cms_{code}" for code in (310, 311, 312, 313, 315, 316, 317, 318)),
    *(f"cme_{code}" for code in (10, 11, 12, 13, 15, 16, 17, 18)),
)
"""The modem's own numbers for a SIM that is of no use."""

REASONS: dict[str, Sentence] = {
    "simulated": _("a simulator: nothing really leaves"),
    "": _("ready"),
    "no_process": _("no worker or listener reports"),
    "not_opened": _("not opened yet"),
    "not_tried": _("nothing sent yet"),
    **dict.fromkeys(("modem_lost", "modem_silent", "no_prompt"), _("the modem does not answer")),
    **dict.fromkeys(("no_notifications", "not_ready"), _("the modem refuses what short messages need")),
    "memory_full": _("the memory for short messages is full; the network delivers no more"),
    "no_signal": _("no signal"),
    "not_registered": _("not registered in a network"),
    "modem_absent": _("the modem is not there"),
    "port_forbidden": _("the port of the modem may not be opened"),
    "port_busy": _("another program holds the modem"),
    "spool_missing": _("the folders of smsd are not there"),
    "spool_not_emptied": _("smsd does not take what lies in its folder"),
    "no_network": _("no network"),
    "sim_missing": _("no usable SIM"),
    "sim_busy": _("the SIM is still starting"),
    "sim_puk": _("the SIM is locked and asks for its PUK"),
    "sim_locked": _("the SIM is locked"),
    "sim_pin_missing": _("the SIM asks for a PIN and SMS_PIN has none"),
    "sim_pin_malformed": _("SMS_PIN is not four to eight digits"),
    "sim_unclear": _("the modem does not say whether the SIM is open"),
    **dict.fromkeys(SIM_REFUSED, _("the SIM cannot be used")),
    "sim_pin_refused": _("the SIM refused its PIN; a person must look"),
    "auth_refused": _("the server refused the login"),
    "unreachable": _("the server cannot be reached"),
    "certificate_untrusted": _("the server shows a certificate that is not trusted"),
    "redirected": _("the gateway has moved to another address; correct SMS_GATEWAY_URL"),
    "connection_lost": _("the connection was lost"),
    "peer_silent": _("the server does not answer"),
    "tls_failed": _("no encrypted connection came about"),
    "no_starttls": _("the server offers no encryption"),
    "no_auth": _("the server offers no login"),
    "not_ami": _("what answers is no telephone exchange"),
    "imap_refused": _("the mail server refuses what is asked of the mailbox"),
    "in_doubt": _("the last answer did not come"),
    "closed": _("closed"),
    "silent": _("the telephone exchange does not answer"),
    "shutdown": _("the telephone exchange has shut down"),
    "not_permitted": _("the telephone exchange lets its user not see the calls"),
    "no_office": _("no LibreOffice on this machine: documents come without a PDF"),
}

_AGAIN_BY_ITSELF = _("See whether it runs and can be reached from here; it is tried again by itself.")

REMEDIES: dict[str, Sentence] = {
    "no_process": _("See whether worker and listeners run: “yunliu serve” starts them all."),
    **dict.fromkeys(
        ("modem_lost", "modem_silent", "no_prompt", "modem_absent"),
        _("Look at the modem's cable and power; it is found again by itself."),
    ),
    "port_forbidden": _("Let the user of the house use the port; on Debian the group is “dialout”."),
    "port_busy": _("End the other program; the modem is taken up again by itself."),
    **dict.fromkeys(
        ("no_signal", "not_registered", "no_network"),
        _("Look at the antenna and whether the SIM is paid for; what waits leaves by itself."),
    ),
    "memory_full": _("Received messages are taken out by themselves; drafts and sent copies must be deleted by hand."),
    **dict.fromkeys(("sim_missing", *SIM_REFUSED), _("Look at the SIM, then start the house anew.")),
    **dict.fromkeys(("sim_puk", "sim_locked"), _("Unlock the SIM in a phone, then start the house anew.")),
    **dict.fromkeys(("sim_pin_missing", "sim_pin_malformed"), _("Correct SMS_PIN, then start the house anew.")),
    "sim_pin_refused": _("Correct SMS_PIN, delete the file sms_pin_refused of the data, then start the house anew."),
    **dict.fromkeys(("spool_missing", "spool_not_emptied"), _("See whether smsd runs on the folders in SMS_SPOOL.")),
    **dict.fromkeys(
        ("unreachable", "connection_lost", "peer_silent", "silent", "shutdown", "closed"), _AGAIN_BY_ITSELF
    ),
    "not_permitted": _("Add “reporting” to the user's write line in manager.conf; it is tried again by itself."),
    "no_office": _("Install LibreOffice Writer on this machine."),
}
"""What a person can do; whatever is missing here has no better advice than its reason."""

_URLS = {
    "sms": "SMS_GATEWAY_TOKEN",
    "mail": "SMTP_URL",
    "mailbox": "IMAP_URL",
    "telephony": "AMI_URL",
}
"""Where the login of a wire, or of several of a kind, is set."""


def remedy_of(wire: str, reason: str) -> Sentence | str:
    """What a person can do about it; "" when nothing is wrong, or nobody knows."""
    setting = _URLS.get(wire.partition("-")[0], "")
    if setting and reason == "auth_refused":
        return _("Correct the login in {setting}, or at the server; then start the house anew.", setting=setting)
    if setting and reason in ("certificate_untrusted", "tls_failed", "no_starttls", "no_auth", "not_ami"):
        return _("Compare {setting} with what the server offers, then start the house anew.", setting=setting)
    return REMEDIES.get(reason, "")


def title_of(wire: str) -> Sentence | str:
    """A connector's name; one of the house's own devices goes by the name it was given."""
    return TITLES.get(wire) or LINKS.get(wire) or wire


def reason_of(reason: str) -> Sentence | str:
    """Why a connector is as it is; a peer's own word stands as it came."""
    return REASONS.get(reason, reason)
