"""Robots in group chats of WeCom, DingTalk and Feishu: plain HTTP, each with its own limits, signature and refusals."""
