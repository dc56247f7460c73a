"""Sending: from templates to employees, by hand to anybody, and the topics diagrams name."""

from processes.messaging.operations.sending import mail_to_employee, send_mail, send_sms, sms_to_employee
from processes.messaging.operations.topics import notify_mail, notify_sms

__all__ = ["mail_to_employee", "notify_mail", "notify_sms", "send_mail", "send_sms", "sms_to_employee"]
