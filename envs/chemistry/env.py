"""The chemistry environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from envs.arguments import check_choice, check_n_shots
from envs.chemistry.answers import FORMATS
from envs.chemistry.families import load_family
from envs.chemistry.tasks import MAX_SHOTS, SPLITS, ChemistryTasks, Mixture
from envs.chemistry.verifier import ChemistryVerifier
from sdpo_gym.text_env import TextEnv
from sdpo_gym.vector import TextVectorEnv

__all__ = ["ChemistryEnv", "ChemistryVectorEnv"]


class ChemistryEnv(TextEnv):
    """
    ## Description

    Small problems of chemistry without end, made by rules from a seed, and checked by RDKit (extra `[chem]`). Feedback
    says what a chemist would say: which character of a SMILES string is wrong, which atoms are missing, which group is
    not there. Every task has an answer that is known to be right; most have many.

    | family | the task |
    |---|---|
    | `choice` | choose one of four numbers that describe a molecule |
    | `count` | count a molecule's atoms or rings |
    | `formula` | read the molecular formula off a SMILES string |
    | `contains` | a molecule with some functional groups and without others |
    | `chain` | a molecule with an unbranched chain of carbons, and groups at given places |
    | `atoms` | a molecule with given numbers of atoms, rings and more |
    | `isomer` | a molecule of a given formula, from level 2 on another one than shown |
    | `groups` | a molecule of a given formula with given functional groups |
    | `property` | a molecule whose properties (logP, TPSA, mass, H-bond donors, …) lie in windows |
    | `complete` | the completion of the beginning of a SMILES string |
    | `edit` | add a group to a molecule, remove one, or swap it |
    | `optimize` | raise or lower a property, and stay similar |
    | `repair` | mend a SMILES string with wrong characters |
    | `reaction` | the product of a named reaction |
    | `name` | the structure of a systematic name |
    | `balance` | balance a chemical equation (needs no RDKit) |

    ## Action Space

    A text (`UnicodeText`): the response, with the answer in the form that the prompt asks for (`answer_format`). Any
    text is a valid action; one without an answer is a failed attempt. Stereochemistry is ignored.

    ## Observation Space

    A text (`UnicodeText`): at the start the problem, later the feedback on the failed attempt. After the last attempt
    it is empty; the feedback on that attempt is in `info`.

    ## Rewards

    `reward="binary"`: 1.0 if the answer passes all checks, else 0.0. `reward="dense"`: the mean of the checks' credits,
    at most 0.99 unless all pass. SDPO takes binary rewards: a dense one may pass a wrong answer off as a demonstration.

    ## Starting State

    One task, drawn with the seed, or chosen with `reset(options={"task": index or id})`. There is no last index. An id
    is a family, a level, a split and a number, such as `"isomer-2-train-7"`.

    ## Episode End

    The episode terminates when the answer is right, or after `max_turns` responses. It is never truncated.

    ## Arguments

    ```python
    gymnasium.make("sdpo/Chemistry-v0", families=None, levels=None, split="train", answer_format="tags", n_shots=0,
                   reward="binary", feedback="full", echo_response=False, max_turns=1, render_mode=None)
    ```

    * `families`: A family, a list of them, or weights such as `{"count": 2, "contains": 1}`. None: all.
    * `levels`: 0 (easiest) … 4: one, a list, or weights. None: all.
    * `split`: `"train"`, `"test"`, or `"all"` of these. The hash of a question decides where it belongs, so that none
      is in both, be it in other words.
    * `answer_format`: `"tags"`, between `<answer>` and `</answer>`; or `"bare"`, the first line of the response, for
      small models.
    * `n_shots`: So many examples of the same family and level are shown before the question, as earlier turns of the
      chat; at most 4. They are the same for all tasks, and no split asks them.
    * `reward`: `"binary"` or `"dense"`, see Rewards.
    * `feedback`: `"none"`, nothing; `"verdict"`, whether the answer was valid; `"checks"`, each check with what the
      answer has and needs, or why it cannot be read; `"full"`, also hints. No level tells a right answer.
    * `echo_response`: Whether feedback quotes the wrong answer, with a mark under the character that is to blame.
    * `max_turns`: How many responses an episode allows.
    * `render_mode`: None, or `"ansi"` for the chat as text.

    ## Info

    `task_id`, `messages` and `turn`; after a step also `success`, `feedback`, `feedback_items`, `metrics` and
    `stop_reason` (see `TextEnv`). The metrics are those of `ChemistryVerifier`.

    ## Version History

    * v0: First version.

    Raises:
        ImportError: a family needs RDKit, which is not installed.
        ValueError: an argument has no meaning.
    """

    def __init__(
        self,
        *,
        families: str | Sequence[str] | Mapping[str, float] | None = None,
        levels: int | Sequence[int] | Mapping[int, float] | None = None,
        split: str = "train",
        answer_format: str = "tags",
        n_shots: int = 0,
        reward: str = "binary",
        feedback: str = "full",
        echo_response: bool = False,
        max_turns: int = 1,
        render_mode: str | None = None,
    ):
        mixture = Mixture.of(families, levels)
        check_choice("split", split, SPLITS)
        check_choice("answer_format", answer_format, FORMATS)
        check_n_shots(n_shots, MAX_SHOTS)
        verifier = ChemistryVerifier(reward=reward, feedback=feedback, echo_response=echo_response)
        for family, _ in mixture.families:
            load_family(family)
        tasks = ChemistryTasks(mixture, split, answer_format, n_shots)
        super().__init__(tasks, verifier, max_turns=max_turns, render_mode=render_mode)


class ChemistryVectorEnv(TextVectorEnv):
    """Several `ChemistryEnv` at once. Keyword arguments are those of the single environment."""

    env_type = ChemistryEnv
