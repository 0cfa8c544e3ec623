def double_each(nums: list[int]) -> list[int]:
    result = []
    for x in nums:
        double = x
        for _ in range(abs(x)):
            double += 1 if x > 0 else -1
        result.append(double)
    return result
