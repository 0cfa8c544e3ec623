"""An environment written for OpenEnv, served by its own package: prints its address."""

import socket

import uvicorn
from openenv.core.env_server import Action, Environment, Observation, State, create_fastapi_app


class EchoAction(Action):
    message: str


class EchoObservation(Observation):
    echo: str
    length: int = 0


class EchoEnvironment(Environment[EchoAction, EchoObservation, State]):
    """Done after two messages; the reward is the length of a message over 10."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self):
        super().__init__()
        self._state = State()

    def reset(self, seed=None, episode_id=None, **kwargs):
        self._state = State(episode_id=episode_id)
        return EchoObservation(echo=f"seed {seed}")

    def step(self, action, timeout_s=None, **kwargs):
        self._state.step_count += 1
        if action.message == "raise":
            raise RuntimeError("lost")
        length = len(action.message)
        done = self._state.step_count == 2
        return EchoObservation(echo=action.message, length=length, reward=length / 10, done=done)

    @property
    def state(self):
        return self._state


if __name__ == "__main__":
    app = create_fastapi_app(EchoEnvironment, EchoAction, EchoObservation, max_concurrent_envs=8)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
