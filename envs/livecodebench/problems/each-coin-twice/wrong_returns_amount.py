class Solution:
    def fewest_coins(self, values: list[int], amount: int) -> int:
        best = {0: [0]}
        for value in values * 2:
            for total, coins in list(best.items()):
                best.setdefault(total + value, [*coins, value])
        return best.get(amount, [])
