"""The way out: a looked-up address is checked once and connected to as it is."""

from collections.abc import Sequence

import pytest
from tests.unit.services.events.receiver import receiving

from assent.domain.errors import Invalid
from assent.services.events.sending import HttpSender, check_url

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "localhost"])


class Resolver:
    """Answers each question with the next list of addresses."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self.answers.pop(0)


def test_the_address_that_was_checked_is_the_one_connected_to(socket_enabled: None) -> None:
    resolver = Resolver(["127.0.0.1"], ["192.0.2.1"])
    with receiving() as receiver:
        url = receiver.url.replace("localhost", "hooks.example")
        answer = HttpSender(resolver, inner_allowed=True)(url, {"webhook-id": "e1"}, b"{}")
    assert answer.status == 204
    assert len(resolver.asked) == 1
    headers, body = receiver.requests[0]
    assert headers["host"].startswith("hooks.example:")
    assert headers["webhook-id"] == "e1"
    assert body == b"{}"


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["10.0.0.8"], ["192.168.1.1"], ["169.254.169.254"], ["::1"], ["fe80::1%eth0"], ["fd00::1"],
     ["100.64.0.1"], ["0.0.0.0"], ["93.184.216.34", "127.0.0.1"]],
)  # fmt: skip
def test_a_host_with_any_inner_address_is_refused_before_anything_is_sent(addresses: list[str]) -> None:
    answer = HttpSender(Resolver(addresses))("https://hooks.example/", {}, b"secret")
    assert answer.status == 0
    assert "inner address" in answer.problem


def test_a_redirect_is_an_answer_and_is_not_followed(socket_enabled: None) -> None:
    with receiving() as receiver:
        receiver.answers = [(302, {"location": "http://169.254.169.254/"})]
        assert HttpSender(Resolver(["127.0.0.1"]), inner_allowed=True)(receiver.url, {}, b"{}").status == 302
    assert len(receiver.requests) == 1


def test_a_receiver_that_is_not_there_is_a_problem_without_details(socket_enabled: None) -> None:
    with receiving() as receiver:
        url = receiver.url
    answer = HttpSender(Resolver(["127.0.0.1"]), inner_allowed=True)(url, {}, b"{}")
    assert (answer.status, answer.problem) == (0, "no answer: ConnectError")


@pytest.mark.parametrize(
    "url",
    ["http://hooks.example/", "ftp://x/", "https://", "https://me@x/", "https://x/#y", "https://x:0/",
     "https://[::1", "javascript:alert(1)", ""],
)  # fmt: skip
def test_an_address_that_is_not_plain_https_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(Invalid) as problem:
        check_url(url, inner_allowed=False)
    assert "secret" not in str(problem.value)


def test_inner_addresses_may_be_http_where_they_are_allowed() -> None:
    check_url("http://localhost:8080/hook", inner_allowed=True)
    check_url("https://hooks.example/x?y=1", inner_allowed=False)
