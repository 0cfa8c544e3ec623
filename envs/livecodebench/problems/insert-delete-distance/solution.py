class Solution:
    def edit_steps(self, a: str, b: str) -> int:
        row = list(range(len(b) + 1))
        for i in range(1, len(a) + 1):
            previous, row = row, [i]
            for j in range(1, len(b) + 1):
                if a[i - 1] == b[j - 1]:
                    row.append(previous[j - 1])
                else:
                    row.append(1 + min(previous[j], row[j - 1]))
        return row[-1]
