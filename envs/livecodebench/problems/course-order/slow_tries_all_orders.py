from itertools import permutations


def course_order(courses: list[str], rules: list[list[str]]) -> list[str]:
    for order in permutations(sorted(courses)):
        place = {course: i for i, course in enumerate(order)}
        if all(place[first] < place[second] for first, second in rules):
            return list(order)
    return []
