# app.rb as a server or a launcher runs it: required, and so interpreted until it is hot (50 firings).
require_relative 'app'
