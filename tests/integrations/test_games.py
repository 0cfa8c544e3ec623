"""Games of the real packages GEM and TextArena, as environments."""

import random
from concurrent.futures import ThreadPoolExecutor

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env

import sdpo_gym  # noqa: F401
from sdpo_gym.arguments import make_text_env
from sdpo_gym.integrations.global_random import GlobalRandom

GAMES = {
    "sdpo/Gem-v0": ("gem", "gem-llm", "game:GuessTheNumber-v0-easy", "\\boxed{{{}}}", 10),
    "sdpo/TextArena-v0": ("textarena", "TextArena", "GuessTheNumber-v0", "[{}]", 20),
}


@pytest.fixture(params=GAMES)
def guessing(request):
    """Guess The Number: its id, a function that writes a guess, and the largest number."""
    module, name, game, move, largest = GAMES[request.param]
    pytest.importorskip(module, reason=f"{name} is not installed: pip install {name}")
    return lambda: gymnasium.make(request.param, game=game), move.format, largest


def play(env, move, largest, seed):
    """Search by halves; everything that the game says."""
    said = [env.reset(seed=seed)]
    low, high = 1, largest
    while True:
        guess = (low + high) // 2
        said.append(env.step(move(guess)))
        observation, _, terminated, truncated, _ = said[-1]
        if terminated or truncated:
            return said
        low, high = (guess + 1, high) if "higher" in observation else (low, guess - 1)


def test_a_game_is_won(guessing):
    make, move, largest = guessing
    env = make()
    prompt, _ = env.reset(seed=0)
    assert "Guess The Number" in prompt
    *_, (observation, reward, terminated, truncated, info) = play(env, move, largest, 0)
    assert (reward, terminated, truncated, info["success"]) == (1.0, True, False, True)
    assert "Congratulations" in observation


def test_gymnasiums_checker(guessing):
    make, _, _ = guessing
    check_env(make().unwrapped, skip_render_check=True)


def test_the_seed_decides_whoever_else_draws(guessing):
    make, move, largest = guessing
    alone = {seed: play(make(), move, largest, seed) for seed in range(12)}
    assert len({len(said) for said in alone.values()}) > 1

    def play_disturbed(seed):
        env = make()
        random.seed(seed % 3)
        np.random.seed(seed % 3)
        return play(env, move, largest, seed)

    with ThreadPoolExecutor(8) as threads:
        together = dict(zip(alone, threads.map(play_disturbed, alone), strict=True))
    assert together == alone

    random.seed(5)
    expected = random.Random(5).random()
    play(make(), move, largest, 1)
    assert random.random() == expected

    env = make()
    env.reset(seed=3)
    unseeded = [play(env, move, largest, None) for _ in range(3)]
    env.reset(seed=3)
    assert unseeded == [play(env, move, largest, None) for _ in range(3)]


@pytest.mark.parametrize(
    "response", ["", "no move", "≤ \ud800 🎉", "[[[[\\boxed{{{{", "x" * 100_000, "[0]", "\\boxed{0}"]
)
def test_bad_responses_are_failed_attempts(guessing, response):
    make, _, _ = guessing
    env = make()
    env.reset(seed=0)
    for _ in range(30):
        observation, reward, terminated, truncated, info = env.step(response)
        assert isinstance(observation, str) and reward < 1.0 and not info["success"]
        if terminated or truncated:
            break
    assert terminated or truncated


@pytest.mark.parametrize("game", ["FrozenLake-v0", "Countdown-v0", "Sokoban-v0", "TowerOfHanoi-v0", "Secretary-v0"])
def test_other_games_of_textarena(game):
    pytest.importorskip("textarena", reason="TextArena is not installed: pip install TextArena")
    env, again = (gymnasium.make("sdpo/TextArena-v0", game=game) for _ in range(2))
    for seed in range(3):
        assert env.reset(seed=seed) == again.reset(seed=seed)
        for move in ("[right]", "[0 1 +]", "[A B]", "no move"):
            said = env.step(move)
            assert said == again.step(move) and isinstance(said[0], str)
            if said[2] or said[3]:
                break


def test_a_game_of_textarena_that_breaks_off():
    pytest.importorskip("textarena", reason="TextArena is not installed: pip install TextArena")
    env = gymnasium.make("sdpo/TextArena-v0", config={"max_turns": 1})
    env.reset(seed=0)
    with pytest.raises(ResetNeeded):
        gymnasium.make("sdpo/TextArena-v0").unwrapped.step("[1]")
    env.unwrapped._game.step = _stumble
    observation, reward, terminated, truncated, info = env.step("[1]")
    assert (reward, terminated, truncated, info["success"]) == (
        0.0,
        False,
        True,
        False,
    ) and "cannot go on" in observation
    with pytest.raises(ResetNeeded):
        env.step("[1]")


def _stumble(action):
    raise UnboundLocalError("player_guess")


@pytest.mark.parametrize(
    ("env_id", "arguments", "message"),
    [
        ("sdpo/Gem-v0", {"game": "rg:chain_sum"}, "allow_unsafe=True"),
        ("sdpo/Gem-v0", {"game": "code:CodeContest"}, "allow_unsafe=True"),
        ("sdpo/Gem-v0", {"game": "game:Nothing-v0"}, "not found"),
        ("sdpo/TextArena-v0", {"game": "Nothing-v0"}, "no game 'Nothing-v0'; it has .*GuessTheNumber-v0"),
        ("sdpo/TextArena-v0", {"game": "TicTacToe-v0"}, "not for one player"),
        ("sdpo/TextArena-v0", {"game": "PublicGoodsGame-v0"}, "not for one player"),
        ("sdpo/TextArena-v0", {"render_mode": "ansi"}, "render_mode"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*render_mode")
def test_misuse(env_id, arguments, message):
    module, name, *_ = GAMES[env_id]
    pytest.importorskip(module, reason=f"{name} is not installed: pip install {name}")
    with pytest.raises(ValueError, match=message):
        gymnasium.make(env_id, **arguments)


@pytest.mark.parametrize(
    ("env_id", "game"),
    [
        ("sdpo/Gem-v0", "game:Hangman-v0-easy"),
        ("sdpo/Gem-v0", "game:WordSearch-v0-easy"),
        ("sdpo/TextArena-v0", "Hangman-v0"),
        ("sdpo/TextArena-v0", "Wordle-v0"),
    ],
)
def test_a_word_list_that_is_missing(env_id, game, monkeypatch):
    module, name, *_ = GAMES[env_id]
    pytest.importorskip(module, reason=f"{name} is not installed: pip install {name}")
    nltk = pytest.importorskip("nltk")
    monkeypatch.setattr(nltk.data, "path", [])
    monkeypatch.setattr(nltk, "download", lambda *args, **options: False)
    with pytest.raises(ValueError, match=f"cannot make .*{game}.* NLTK .*: python -m nltk.downloader words"):
        make_text_env(env_id, {"game": game})


def test_a_task_of_gem_that_is_no_game():
    pytest.importorskip("gem", reason="gem-llm is not installed: pip install gem-llm")
    env = gymnasium.make("sdpo/Gem-v0", game="rg:chain_sum", allow_unsafe=True)
    env.reset(seed=0)
    observation, reward, terminated, truncated, _ = env.step("\\boxed{-1}")
    assert (observation, terminated, truncated) == ("", True, False) and reward < 1.0


def test_global_random_numbers_are_lent_and_given_back():
    one, other = GlobalRandom(), GlobalRandom()
    one.seed(7)
    other.seed(7)
    random.seed(1)
    np.random.seed(1)
    before = random.getstate(), np.random.get_state()[1].tolist()
    drawn = []
    for numbers in (one, other):
        with numbers.lent():
            drawn.append((random.random(), np.random.rand()))
    assert drawn[0] == drawn[1]
    with one.lent():
        assert random.random() != drawn[0][0]
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before
