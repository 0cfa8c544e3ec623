class Solution:
    def best_profit(self, prices: list[int], fee: int) -> int:
        free, resting, owning = 0, 0, -(10**18)
        for price in prices:
            free, resting, owning = max(free, resting), owning + price - fee, max(owning, free - price)
        return max(free, resting, 0)
