def sign_of(n: int) -> int:
    if n == 0:
        return 0
    distance = 1
    while True:
        if distance == n:
            return 1
        if -distance == n:
            return -1
        distance += 1
