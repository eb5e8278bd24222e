"""Faults that networks of this kind have had, each with the tests that would fail if Parity had it too."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
FAULTS: dict[str, tuple[str, ...]] = {
    "W1: writes are not signed": ("test_ASignatureIsNotReplayed", "test_a_replayed_signature_is_refused_and_pays_once"),
    "W2: another's stake can be spent": ("test_APermitOfAnotherDoesNotMoveItsTokens", "test_EveryFurtherRunnerOfAnOwnerNeedsItsOwnStake"),
    "W3: pay follows the runner's own figures": ("test_AMeteredPriceIsCappedByTheShareOfTheReward",),
    "W4: one result is paid twice": ("test_ASeatIsRevealedOnce",),
    "W5: anybody's word bans a runner": ("test_MonitoringNeverTakesStake", "test_who_is_gone_is_found_offline_and_who_lies_about_it_is_marked"),
    "W6: scores and slashes are not real": ("test_AMissTakesATenthOfTheScore", "test_AWrongSeatIsSlashedAndTheSlashSplit"),
    "W7: monitors make reports up": ("test_who_sleeps_is_marked_and_who_answers_is_left_alone",),
    "W8: the client calls what no server has": ("test_openapi_describes_every_route_that_is_served_and_its_answers_hold",),
    "W9: messages are not what the reader expects": ("test_a_hint_is_signed_and_comes_again_until_it_is_taken",),
    "W10: commands run in the host's environment": ("test_the_environment_holds_nothing_of_the_runner", "test_arguments_are_never_read_by_a_shell"),
    "W11: the box is weaker than none": ("test_forbidden_system_calls_fail", "test_no_address_can_be_reached", "test_nothing_but_out_and_tmp_can_be_written"),
    "W12: the box is believed, not proved": ("test_a_probe_that_finds_a_hole_refuses_the_box", "test_a_setuid_program_gives_nothing"),
    "W13: settings are ignored": ("test_nothing_is_claimed_while_the_engine_is_down_and_all_is_when_it_is_back", "test_a_command_gets_no_more_processor_than_its_share"),
    "W14: a webhook leads inside": ("test_a_url_that_may_lead_inside_is_refused", "test_a_strangers_url_is_not_followed_into_private_networks"),
    "W15: long work is taken away from who does it": ("test_an_overdue_phase_is_ended_by_whoever_has_a_seat",),
    "W16: partitions overlap, and alpha does nothing": ("test_every_sample_goes_to_exactly_one_participant", "test_a_smaller_alpha_gives_a_more_uneven_mix", "test_the_global_generator_is_neither_used_nor_disturbed"),
    "W17: updates are unbounded or dropped silently": ("test_a_clipped_update_is_never_longer_than_the_norm", "test_updates_that_do_not_fit_are_refused_by_participant"),
    "W18: fetched content is not checked": ("test_other_bytes_than_asked_for_are_refused", "test_content_longer_than_allowed_is_refused_though_it_is_what_was_asked_for"),
    "W19: randomness is a hex string": ("test_ATicketIsDrawnFromTheSeedBlocksBeacon", "test_Attack17_TheRateIsFixedBeforeTheDrawIsKnown"),
    "W20: keys lie in clear": ("test_a_key_file_is_the_owners_alone_and_holds_no_plain_key",),
    "W21: success is printed before the receipt": ("test_a_deposit_shows_price_fee_and_risk_before_it_is_signed_and_arrives",),
    "W22: logs hold prompts and answers": ("test_no_key_and_no_prompt_reaches_the_log",),
    "W23: health is a constant, output is a log": ("test_health_is_the_process_and_ready_is_what_it_needs", "test_every_command_has_an_example_and_json"),
}  # fmt: skip


@pytest.fixture(scope="module")
def names() -> set[str]:
    defined = re.compile(r"(?:def|function) (test\w+)\(")
    return {
        name
        for path in TESTS.rglob("*")
        if path.suffix in (".py", ".sol")
        for name in defined.findall(path.read_text())
    }


@pytest.mark.parametrize("fault", FAULTS)
def test_a_known_fault_has_its_tests(fault: str, names: set[str]) -> None:
    missing = [name for name in FAULTS[fault] if name not in names]
    assert not missing, f"{missing} is no test any more: name the one that stands for it now"
