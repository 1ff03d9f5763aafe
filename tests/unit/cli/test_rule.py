from services.cli.demo.rule import MovingAverageRule


def test_crossings_up_and_down_are_told_once() -> None:
    rule = MovingAverageRule(fast=2, slow=4)
    prices = [10, 10, 10, 10, 12, 13, 13, 9, 8, 8]
    wishes = [rule.decide(price) for price in prices]
    assert [wish for wish in wishes if wish] == ["buy", "sell"]
    assert wishes[4] == "buy"


def test_nothing_is_said_before_the_slow_average_is_full() -> None:
    rule = MovingAverageRule(fast=2, slow=5)
    assert [rule.decide(price) for price in (1, 2, 3, 4)] == [None] * 4
