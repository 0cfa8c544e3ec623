class Solution:
    def edit_steps(self, a: str, b: str) -> int:
        if a == "" or b == "":
            return len(a) + len(b)
        if a[0] == b[0]:
            return self.edit_steps(a[1:], b[1:])
        return 1 + min(self.edit_steps(a[1:], b), self.edit_steps(a, b[1:]))
