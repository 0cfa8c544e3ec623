import heapq


def course_order(courses: list[str], rules: list[list[str]]) -> str:
    waiting = dict.fromkeys(courses, 0)
    for _, second in rules:
        waiting[second] += 1
    ready = sorted(course for course in courses if waiting[course] == 0)
    order = []
    while ready:
        course = heapq.heappop(ready)
        order.append(course)
        for first, second in rules:
            if first == course:
                waiting[second] -= 1
                if waiting[second] == 0:
                    heapq.heappush(ready, second)
    return " ".join(order) + "."
