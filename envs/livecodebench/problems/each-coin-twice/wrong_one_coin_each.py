class Solution:
    def fewest_coins(self, values: list[int], amount: int) -> int:
        best = [0] + [10**9] * amount
        for value in values:
            for total in range(amount, value - 1, -1):
                best[total] = min(best[total], best[total - value] + 1)
        return best[amount] if best[amount] < 10**9 else -1
