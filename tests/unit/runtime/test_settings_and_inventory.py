from pathlib import Path

import pytest
from pydantic import ValidationError

from services.runtime.inventory import load_inventory, parse_inventory
from services.runtime.settings import ServiceSettings


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIFROST_SERVICE", "risk")
    monkeypatch.setenv("BIFROST_ADDRESS_BOOK", '{"data": "127.0.0.1:1", "venue": "ipv4:127.0.0.1:2"}')
    monkeypatch.setenv("BIFROST_CREDENTIAL_FILE", "/keys/risk.pem")
    settings = ServiceSettings()
    assert settings.service == "risk"
    assert settings.address_book["data"] == "127.0.0.1:1"
    assert settings.credential_file == Path("/keys/risk.pem")


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "70000"), ("LOG_LEVEL", "loud"), ("TRACE_SAMPLE_RATIO", "2")]
)
def test_settings_that_cannot_be(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"BIFROST_{name}", value)
    with pytest.raises(ValidationError):
        ServiceSettings()


def test_the_inventory_knows_who_serves_what() -> None:
    inventory = load_inventory()
    assert inventory.service_of("bifrost.execution.v1.OrderService") == "execution"
    assert inventory.services["identity"].port == 9101
    assert inventory.services["portfolio"].metrics_port == 9206
    assert (inventory.edge_port, inventory.edge_admin_port) == (8080, 9901)
    assert len(set(inventory.contracts)) == len(inventory.contracts)
    with pytest.raises(KeyError, match="NoService"):
        inventory.service_of("bifrost.no.v1.NoService")


EDGE = "[edge]\nport = 1\nadmin_port = 2\n"


@pytest.mark.parametrize(
    ("ports", "contracts", "twin"),
    [((3, 4, 4, 5), "ab", "port 4"), ((1, 3, 4, 5), "ab", "port 1"), ((3, 4, 5, 6), "aa", "contract a")],
)
def test_twins_in_the_inventory_are_refused(ports: tuple[int, ...], contracts: str, twin: str) -> None:
    text = EDGE
    for name, port, metrics_port, contract in zip("xy", ports[::2], ports[1::2], contracts, strict=True):
        text += f"[services.{name}]\nport = {port}\nmetrics_port = {metrics_port}\n"
        text += f"contracts = ['{contract}']\n"
    with pytest.raises(ValueError, match=twin):
        parse_inventory(text)
