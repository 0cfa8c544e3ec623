class Solution:
    def edit_steps(self, a: str, b: str) -> int:
        rows, cols = len(a) + 1, len(b) + 1
        dp = [[i + j for j in range(cols)] for i in range(rows)]
        for i in range(1, rows):
            for j in range(1, cols):
                if a[i - 1] == b[j - 1]:
                    dp[i][j] = dp[i - 1][j - 1]
                else:
                    dp[i][j] = 1 + min(dp[i - 1][j], dp[i][j - 1], dp[i - 1][j - 1])
        return dp[-1][-1]
