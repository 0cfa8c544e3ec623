class Solution:
    def best_profit(self, prices: list[int], fee: int) -> int:
        def best(day: int, owning: bool) -> int:
            if day >= len(prices):
                return 0
            nothing = best(day + 1, owning)
            if owning:
                return max(nothing, prices[day] - fee + best(day + 2, False))
            return max(nothing, best(day + 1, True) - prices[day])

        return best(0, False)
