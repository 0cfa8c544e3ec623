class Solution:
    def current_folder(self, commands: list[str]) -> str:
        path = []
        for command in commands:
            if command == "up":
                path = path[:-1]
            elif command == "top":
                path = []
            elif command != "back":
                path.append(command)
        return "/" + "/".join(path) + "/"
