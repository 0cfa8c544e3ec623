"""Writes down what single tokens were credited with: the learning signal, made visible.

Reading it changes nothing: no random number is drawn, no gradient flows, and the update does not see it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import torch

from agents.algorithm import Algorithm, Row, TokenBatch, TokenCredit
from agents.episode import Episode
from agents.policy.head import HeadStats
from agents.policy.policy import Policy

ALTERNATIVES = 5
"""So many tokens that could have been sampled are written down at each position."""

LEAST_PROBABILITY = 1e-3
"""Alternatives that neither student nor teacher gives so much are left out."""


class CreditRecorder:
    """Keeps the credit of a few responses of each step.

    Args:
        policy: Decodes tokens.
        samples: Responses per step; 0 for none.
    """

    def __init__(self, policy: Policy, samples: int):
        self.policy, self.samples = policy, samples
        self._chosen: dict[int, int] = {}  # places of attempts by the id of the object
        self._records: list[tuple[int, dict[str, Any]]] = []

    def choose(self, rows: Sequence[Row], episodes: Sequence[Episode]) -> None:
        """Choose among the rows that are learned from, evenly spaced.

        Args:
            episodes: The step's attempts, the rows' among them.
        """
        learned = [row for row in rows if row.forward]
        count = min(self.samples, len(learned))
        chosen = {id(learned[i * len(learned) // count].episode) for i in range(count)}
        self._chosen = {id(episode): place for place, episode in enumerate(episodes) if id(episode) in chosen}

    @torch.no_grad()
    def record(self, algorithm: Algorithm, batch: TokenBatch, targets: Any) -> None:
        """Keep the credit of the chosen responses of a micro-batch."""
        for index, row in enumerate(batch.rows):
            place = self._chosen.get(id(row.episode))
            if place is not None:
                mask = batch.row_of_token == index
                tokens = batch.only(mask)
                credit = algorithm.credit(row, mask, tokens, targets)
                self._records.append((place, self._to_json(row.episode, tokens, credit)))

    def take(self) -> list[tuple[int, dict[str, Any]]]:
        """What was kept since the last call: places of attempts, each with its record."""
        records, self._records, self._chosen = self._records, [], {}
        return records

    def _to_json(self, episode: Episode, tokens: TokenBatch, credit: TokenCredit) -> dict[str, Any]:
        policy, teacher = self.policy, credit.teacher
        pieces = [piece for turn in episode.turns for piece in token_texts(policy, turn.response_ids)]
        record: dict[str, Any] = {"tokens": pieces, "student": _rounded(tokens.logprobs)}
        names = {i: self._name(token) for i, token in enumerate(tokens.token_ids.tolist()) if not pieces[i]}
        record["names"] = {str(i): name for i, name in names.items()}
        if credit.advantage is not None:
            record["advantage"] = credit.advantage
        if teacher is not None:
            context = policy.tokenizer.decode(list(credit.context_ids), skip_special_tokens=False)
            record |= {"context": context, "teacher": _rounded(teacher.logprobs)}
            if tokens.stats.indices.shape[1]:
                record["alternatives"] = self._alternatives(tokens.stats, teacher)
        return record

    def _alternatives(self, student: HeadStats, teacher: HeadStats) -> list[list[tuple[str, float, float]]]:
        """At each position (text, student's probability, teacher's) of the tokens that either thinks likeliest."""
        p, q = student.top_logprobs.exp(), teacher.top_logprobs.exp()  # (T, K)
        greatest = torch.maximum(p, q).topk(min(ALTERNATIVES, p.shape[1]), dim=-1)
        chosen = greatest.indices
        columns = zip(
            student.indices.gather(-1, chosen).tolist(),
            p.gather(-1, chosen).tolist(),
            q.gather(-1, chosen).tolist(),
            greatest.values.tolist(),
            strict=True,
        )
        return [
            [
                (self._name(token), round(mine, 4), round(theirs, 4))
                for token, mine, theirs, most in zip(*at_position, strict=True)
                if most >= LEAST_PROBABILITY
            ]
            for at_position in columns
        ]

    def _name(self, token: int) -> str:
        return self.policy.tokenizer.decode([token], skip_special_tokens=False)


def token_texts(policy: Policy, token_ids: Sequence[int]) -> list[str]:
    """The text that each token adds; together they are `policy.decode(token_ids)`.

    A character of several tokens belongs to the last of them. Special tokens add nothing.
    """
    texts: list[str] = []
    start, said = 0, ""  # tokens from `start` on are decoded together; of their text, `said` has been given out
    for end in range(1, len(token_ids) + 1):
        text = policy.decode(token_ids[start:end])
        if text.endswith("\ufffd") or not text.startswith(said):
            texts.append("")
            continue
        texts.append(text[len(said) :])
        if end - start >= _WINDOW:
            start = end - _OVERLAP
            text = policy.decode(token_ids[start:end])
        said = text
    whole, given = policy.decode(token_ids), "".join(texts)
    if texts and whole.startswith(given):
        texts[-1] += whole[len(given) :]  # a character that is not complete
        return texts
    return _texts_of_prefixes(policy, token_ids, whole)


_WINDOW, _OVERLAP = 32, 8


def _texts_of_prefixes(policy: Policy, token_ids: Sequence[int], whole: str) -> list[str]:
    """The same for tokenizers whose texts depend on what is far away, in quadratic time."""
    ends = [0]
    for end in range(1, len(token_ids)):
        pairs = zip(policy.decode(token_ids[:end]), whole, strict=False)
        common = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
        ends.append(max(ends[-1], common))
    return [whole[a:b] for a, b in itertools.pairwise([*ends, len(whole)])] if token_ids else []


def _rounded(values: torch.Tensor) -> list[float]:
    return [round(value, 4) for value in values.tolist()]
