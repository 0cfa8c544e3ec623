from collections import deque


def course_order(courses: list[str], rules: list[list[str]]) -> list[str]:
    waiting = dict.fromkeys(courses, 0)
    for _, second in rules:
        waiting[second] += 1
    queue = deque(sorted(course for course in courses if waiting[course] == 0))
    order = []
    while queue:
        course = queue.popleft()
        order.append(course)
        for first, second in sorted(rules):
            if first == course:
                waiting[second] -= 1
                if waiting[second] == 0:
                    queue.append(second)
    return order if len(order) == len(courses) else []
