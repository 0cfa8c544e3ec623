class Solution:
    def after_shuffles(self, cards: str, shuffle: list[int], k: int) -> str:
        result = [""] * len(cards)
        for start in range(len(cards)):
            if result[start]:
                continue
            cycle = [start]
            while shuffle[cycle[-1]] != start:
                cycle.append(shuffle[cycle[-1]])
            for i, place in enumerate(cycle):
                result[cycle[(i + k) % len(cycle)]] = cards[place]
        return "".join(result)
