class Solution:
    def after_shuffles(self, cards: str, shuffle: list[int], k: int) -> str:
        for _ in range(k):
            row = [""] * len(cards)
            for i, place in enumerate(shuffle):
                row[place] = cards[i]
            cards = "".join(row)
        return cards
