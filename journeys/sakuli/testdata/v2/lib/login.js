module.exports = {
  logIn: async (user, key) => {
    await _setValue(_textbox("user"), user);
    await _setValue(_password("key"), key);
    await _click(_submit("Log in"));
  },
};
