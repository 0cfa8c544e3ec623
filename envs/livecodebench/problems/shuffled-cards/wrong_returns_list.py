class Solution:
    def after_shuffles(self, cards: str, shuffle: list[int], k: int) -> list[str]:
        return sorted(cards)
