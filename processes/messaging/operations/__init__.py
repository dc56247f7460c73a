"""Sending: from templates to employees, by hand to anybody, and the topics diagrams name."""

from processes.messaging.operations.campaign_topics import file_campaign, send_campaign
from processes.messaging.operations.charging import charged_department
from processes.messaging.operations.house_rules import held_until, lay_down
from processes.messaging.operations.sending import (
    NOT_SENT,
    SECRET,
    mail_to_employee,
    send_sms,
    sms_to_employee,
    sms_words_to_employee,
)
from processes.messaging.operations.topics import notify_mail, notify_sms
from processes.messaging.operations.writing_mail import send_mail

__all__ = [
    "NOT_SENT",
    "SECRET",
    "charged_department",
    "file_campaign",
    "held_until",
    "lay_down",
    "mail_to_employee",
    "notify_mail",
    "notify_sms",
    "send_campaign",
    "send_mail",
    "send_sms",
    "sms_to_employee",
    "sms_words_to_employee",
]
