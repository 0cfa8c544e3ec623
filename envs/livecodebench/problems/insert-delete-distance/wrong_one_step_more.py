class Solution:
    def edit_steps(self, a: str, b: str) -> int:
        row = list(range(1, len(b) + 2))
        for i in range(1, len(a) + 1):
            previous, row = row, [i + 1]
            for j in range(1, len(b) + 1):
                same = a[i - 1] == b[j - 1]
                row.append(previous[j - 1] if same else 1 + min(previous[j], row[j - 1]))
        return row[-1]
