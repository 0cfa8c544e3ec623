class Solution:
    def after_shuffles(self, cards: str, shuffle: list[int], k: int) -> str:
        for _ in range(k % 5040):
            cards = "".join(cards[place] for place in shuffle)
        return cards
