"""The services there are, by name."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.robots.dingtalk import DINGTALK
from connectors.robots.feishu import FEISHU
from connectors.robots.kinds import Kind
from connectors.robots.wecom import WECOM

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (WECOM, DINGTALK, FEISHU)}
