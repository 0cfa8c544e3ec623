"""An environment of one's own is tasks and a verifier. The agents train on it like on any other.

python examples/own_environment.py
PYTHONPATH=examples sdpo-gym check own_environment:example/Rhyme-v0
PYTHONPATH=examples python -m agents.sdpo --env own_environment:example/Rhyme-v0 --context both --max-new-tokens 16
"""

import gymnasium

from sdpo_gym import Task, TaskList, TextEnv, Verdict, Verifier

ENDINGS = {"light": "ight", "stone": "one", "rain": "ain", "day": "ay"}


class RhymeVerifier(Verifier):
    """Solved by another word with the same ending."""

    def verify(self, task: Task, response: str) -> Verdict:
        words = response.lower().strip(" .!?").split()
        ending = task.answer_key
        if len(words) != 1:
            feedback = f"One word is asked for, not {len(words)}."
        elif words[0] == task.id:
            feedback = "A word does not rhyme with itself."
        elif not words[0].endswith(ending):
            feedback = f"{words[0]!r} does not end in {ending!r}."
        else:
            return Verdict(reward=1.0, success=True)
        return Verdict(reward=0.0, success=False, feedback=feedback)


class RhymeEnv(TextEnv):
    def __init__(self, max_turns: int = 1, render_mode: str | None = None):
        tasks = [
            Task(word, ({"role": "user", "content": f"Reply with one word that rhymes with {word}."},), ending)
            for word, ending in ENDINGS.items()
        ]
        super().__init__(TaskList(tasks), RhymeVerifier(), max_turns=max_turns, render_mode=render_mode)


gymnasium.register("example/Rhyme-v0", entry_point=RhymeEnv)

if __name__ == "__main__":
    env = gymnasium.make("example/Rhyme-v0", max_turns=2)
    print(env.reset(options={"task": "stone"})[0])
    for word in ("rock", "bone"):
        _, reward, _, _, info = env.step(word)
        print(f"{word}: reward {reward} {info['feedback']}")
