class Solution:
    def after_shuffles(self, cards: str, shuffle: list[int], k: int) -> str:
        for _ in range(k % len(cards)):
            row = list(cards)
            for i, place in enumerate(shuffle):
                row[place] = cards[i]
            cards = "".join(row)
        return cards
