from hypothesis import given
from hypothesis import strategies as st

from annotation.rendering.text import clean_prompt, clean_response, count_words, guess_script


def test_stray_closing_brackets_leave_a_prompt():
    assert clean_prompt("What of the sink?]]") == "What of the sink?"


def test_brackets_that_belong_together_stay():
    assert clean_prompt("See [[the list]]") == "See [[the list]]"


def test_follow_up_wrapper_leaves_its_words():
    raw = "Okay, no small appliances.\n\n[[Follow-up]][[Are there any utensils?]]"

    assert clean_prompt(raw) == "Okay, no small appliances.\n\nAre there any utensils?"


def test_follow_up_wrapper_that_was_never_closed_is_opened_too():
    assert clean_prompt("[[Follow-up]][[Which colour?") == "Which colour?"


def test_a_response_keeps_its_faults_and_loses_only_outer_space():
    assert clean_response(" Would you add shapes?]]\n") == "Would you add shapes?]]"


def test_words_are_counted_in_latin_and_han_alike():
    assert count_words("It's a well-lit room, 3.5 m wide.") == 7
    assert count_words("洗手盆被挡住") == 6
    assert count_words("B 只说不画 (step 2)") == 7
    assert count_words("  \n") == 0


def test_scripts_are_named_and_set_in_their_direction():
    def found(text: str) -> tuple[str, str]:
        script = guess_script(text)
        return script.language, script.direction

    assert found("What is the style of this room?") == ("en", "ltr")
    assert found("A 在第 5 轮把前面提到的材料都画了出来") == ("zh", "ltr")
    assert found("この部屋の様式は何ですか") == ("ja", "ltr")
    assert found("ما هو أسلوب هذه الغرفة؟") == ("ar", "rtl")
    assert found("מה הסגנון של החדר?") == ("he", "rtl")
    assert found("Quel est donc le style de cette chambre bleue") == ("", "ltr")
    assert found("The sign says 出口, which is the word for exit") == ("en", "ltr")
    assert found("42") == ("", "ltr")


@given(st.text())
def test_any_text_can_be_cleaned_counted_and_named(text):
    assert len(clean_prompt(text)) <= len(text)
    assert count_words(text) <= len(text)
    assert guess_script(text).direction in {"ltr", "rtl"}
