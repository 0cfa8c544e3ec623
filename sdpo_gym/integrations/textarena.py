"""Games for one player of the package TextArena as environments."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, ClassVar

import gymnasium
from gymnasium.error import ResetNeeded

from sdpo_gym.extras import needs, needs_word_lists
from sdpo_gym.integrations.global_random import GlobalRandom
from sdpo_gym.spaces import UnicodeText

RAW = "-raw"
"""The version of a game that neither changes responses nor repeats the chat in every observation."""

_log = logging.getLogger("sdpo_gym")


class TextArenaEnv(gymnasium.Env[str, str]):
    """
    ## Description
    A game for one player of TextArena (extra `[textarena]`), such as Guess The Number, 2048, Frozen Lake or Sokoban.
    Some games need word lists: `python -m nltk.downloader words averaged_perceptron_tagger_eng`.

    ## Action Space
    A text (`UnicodeText`): the response. The prompt says how a move is written.

    ## Observation Space
    A text (`UnicodeText`): at the start the rules, later what the game says since the last move; at the end, why.

    ## Rewards
    0.0 for every move, and the game's reward at the end, at most 1.0. `info["success"]` says whether it is 1.0.

    ## Starting State
    Decided by the seed. TextArena draws from the global random numbers; here, every environment has its own.

    ## Episode End
    The game's. If the game breaks off with an exception, the episode is truncated.

    ## Arguments
    ```python
    gymnasium.make("sdpo/TextArena-v0", game="GuessTheNumber-v0", config=None, render_mode=None)
    ```

    * `game`: An id of TextArena's, without a suffix such as `-train`.
    * `config`: Keyword arguments of `textarena.make`.

    ## Version History
    * v0: first version, with TextArena 0.7.4.

    Raises:
        ImportError: TextArena is not installed.
        LookupError: the game needs a word list that NLTK does not have.
        ValueError: TextArena has no such game, or it is for several players.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}

    def __init__(
        self,
        game: str = "GuessTheNumber-v0",
        *,
        config: Mapping[str, Any] | None = None,
        render_mode: str | None = None,
    ):
        with needs("sdpo-gym[textarena]"):
            import textarena
            from textarena.envs.registration import ENV_REGISTRY

        if render_mode is not None:
            raise ValueError(f"render_mode must be None, not {render_mode!r}")
        if game + RAW not in ENV_REGISTRY:
            known = ", ".join(sorted(name.removesuffix(RAW) for name in ENV_REGISTRY if name.endswith(RAW)))
            raise ValueError(f"TextArena has no game {game!r}; it has {known}")
        self.render_mode = None
        self.action_space = self.observation_space = UnicodeText()
        self._name = game
        self._said_by_player = textarena.ObservationType.PLAYER_ACTION
        self._single_player = textarena.SinglePlayerState
        self._random = GlobalRandom()
        self._playing = False
        with needs_word_lists():
            with self._random.lent():
                self._game = textarena.make(game + RAW, **(config or {}))
            self._begin(0)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        super().reset(seed=seed)
        self._begin(int(self.np_random.integers(1 << 31)))
        self._playing = True
        return self._observe(), {}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        if not self._playing:
            raise ResetNeeded("no game is under way; call reset() to begin one")
        try:
            with self._random.lent():
                done, _ = self._game.step(action)
            if not done:
                return self._observe(), 0.0, False, False, {"success": False}
            rewards, endings = self._game.close()
            reward, reason = float(rewards[0]), str(endings[0].get("reason", ""))
        except Exception as error:
            _log.warning("the game %s broke off with %s: %s", self._name, type(error).__name__, error)
            self._playing = False
            return "The game cannot go on after this response.", 0.0, False, True, {"success": False}
        self._playing = False
        return reason, reward, True, False, {"success": reward >= 1.0}

    def _begin(self, seed: int) -> None:
        self._random.seed(seed)
        refusal = None
        with self._random.lent():
            try:
                self._game.reset(num_players=1, seed=seed)
            except (AssertionError, ValueError) as error:  # how games refuse a number of players
                refusal = error
        if refusal or not isinstance(self._game.state, self._single_player):
            raise ValueError(f"TextArena's {self._name!r} is not for one player") from refusal

    def _observe(self) -> str:
        _, messages = self._game.get_observation()
        # Some games confuse the arguments when they repeat the player's move; then the text is a number.
        said = (text for _, text, kind in messages if kind is not self._said_by_player and isinstance(text, str))
        return "\n\n".join(said)
