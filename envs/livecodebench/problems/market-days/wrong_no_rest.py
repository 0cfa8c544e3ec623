class Solution:
    def best_profit(self, prices: list[int], fee: int) -> int:
        free, owning = 0, -(10**18)
        for price in prices:
            free, owning = max(free, owning + price - fee), max(owning, free - price)
        return free
