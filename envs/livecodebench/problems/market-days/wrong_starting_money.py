class Solution:
    def best_profit(self, prices: list[int], fee: int) -> int:
        return max(prices, default=1) + fee + 1
