"""Reading check results, for tests of risk."""

from bifrost.risk.v1 import check_pb2, error_reason_pb2


def rule_of(result: check_pb2.CheckResult, name: str) -> check_pb2.RuleResult:
    return next(rule for rule in result.rules if error_reason_pb2.Rule.Name(rule.rule) == f"RULE_{name}")


def failed(result: check_pb2.CheckResult) -> set[str]:
    return {
        error_reason_pb2.Rule.Name(rule.rule).removeprefix("RULE_")
        for rule in result.rules
        if rule.verdict != check_pb2.VERDICT_PASS
    }
