class Solution:
    def best_profit(self, prices: list[int], fee: int) -> int:
        best = 0
        for i, price in enumerate(prices):
            for later in prices[i + 1 :]:
                best = max(best, later - price - fee)
        return best
