class Solution:
    def current_folder(self, commands: list[str]) -> str:
        path = []
        for command in commands:
            if command in ("up", "back"):
                path = path[:-1]
            elif command == "top":
                path = []
            else:
                path.append(command)
        return "/" + "/".join(path)
