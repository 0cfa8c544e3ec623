def product_of_list(nums: list[int]) -> int:
    product, sign = 1, 1
    for x in nums:
        total = 0
        for _ in range(abs(x)):
            for _ in range(product):
                total += 1
        product, sign = total, sign if x >= 0 else -sign
    return sign * product
